//! What the tests share: the cluster to test on, if there is one.
#![allow(dead_code, unreachable_pub, reason = "every test binary uses a part of this")]

use std::io::Write as _;
use std::path::PathBuf;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

/// The kubeconfig of the cluster to test on. Without one, says so past the test runner, which hides what passing
/// tests print.
pub fn kubeconfig(what: &str) -> Option<PathBuf> {
    let given = std::env::var_os("KECS_TEST_KUBECONFIG").filter(|path| !path.is_empty()).map(PathBuf::from);
    if given.is_none() {
        let hint = "set KECS_TEST_KUBECONFIG, for example to what tests/kubernetes/cluster.py up prints";
        // Nothing depends on whether anybody reads it.
        let _ = writeln!(std::io::stderr(), "SKIPPED, NOT PASSED: {what} needs a Kubernetes cluster; {hint}");
    }
    given
}

/// A client of that cluster.
pub async fn client(path: &PathBuf) -> Client {
    let file = Kubeconfig::read_from(path).expect("the kubeconfig can be read");
    let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await;
    Client::try_from(config.expect("the kubeconfig makes sense")).expect("a client of it")
}

/// A runtime for one test.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(future)
}
