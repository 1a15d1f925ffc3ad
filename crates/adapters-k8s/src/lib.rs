//! The Kubernetes orchestrator: tasks as Pods.
