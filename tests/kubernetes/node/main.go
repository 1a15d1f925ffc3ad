// Command node is a whole Kubernetes in one binary, for tests: it runs as whichever part it is called as (by the name
// of the link that starts it, or by its first argument).
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/apiserver/pkg/server"
	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
	kwok "sigs.k8s.io/kwok/pkg/kwok/cmd"
)

func parts() map[string]func() int {
	run := func(command *cobra.Command) int { return cli.Run(command) }
	return map[string]func() int{
		"etcd":                    func() int { etcdmain.Main(os.Args); return 0 },
		"kube-apiserver":          func() int { return run(apiserver.NewAPIServerCommand()) },
		"kube-controller-manager": func() int { return run(controllermanager.NewControllerManagerCommand()) },
		"kube-scheduler":          func() int { return run(scheduler.NewSchedulerCommand()) },
		"kube-proxy":              func() int { return run(proxy.NewProxyCommand()) },
		"kubelet": func() int {
			// It listens for signals itself, and a second listener is a panic.
			return run(kubelet.NewKubeletCommand(context.Background()))
		},
		"kubectl": func() int { return run(kubectl.NewDefaultKubectlCommand()) },
		"kwok": func() int {
			command := kwok.NewCommand(server.SetupSignalContext())
			if err := command.Execute(); err != nil {
				return 1
			}
			return 0
		},
	}
}

func main() {
	all := parts()
	name := filepath.Base(os.Args[0])
	part, known := all[name]
	if !known && len(os.Args) > 1 {
		if part, known = all[os.Args[1]]; known {
			os.Args = os.Args[1:]
		}
	}
	if !known {
		fmt.Fprintln(os.Stderr, "usage: node PART [FLAGS], or a link to it that is named as the part. Parts:")
		for name := range all {
			fmt.Fprintln(os.Stderr, "  "+name)
		}
		os.Exit(2)
	}
	os.Exit(part())
}
