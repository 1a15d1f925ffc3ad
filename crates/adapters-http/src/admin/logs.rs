//! `GET /logs`: what a container writes, a line each, for as long as the client listens.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures::StreamExt as _;
use kecs_domain::{ErrorCode, Scope};
use kecs_usecases::logs::LogRequest;
use kecs_usecases::ports::{LogLine, PortError};
use kecs_usecases::{Context, Ecs};
use serde::Deserialize;

use super::Admin;
use crate::edge::{DefaultScope, is_account, is_region};

/// Where logs are read.
#[derive(Clone)]
pub struct LogPages {
    /// What is asked for them.
    pub ecs: Ecs,
    /// Account and region of those who don't tell.
    pub scope: DefaultScope,
}

/// The parameters of the page.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Parameters {
    cluster: Option<String>,
    task: String,
    container: Option<String>,
    follow: bool,
    tail: Option<usize>,
    /// Only what was written in the last so many seconds.
    since_seconds: Option<u64>,
    /// Whether each line begins with its time.
    timestamps: bool,
    account: Option<String>,
    region: Option<String>,
}

pub(super) async fn logs(State(admin): State<Arc<Admin>>, Query(asked): Query<Parameters>) -> Response {
    let Some(pages) = &admin.logs else {
        return refuse(StatusCode::NOT_FOUND, "Logs are not read here.");
    };
    let account = asked.account.unwrap_or_else(|| pages.scope.account.clone());
    let region = asked.region.unwrap_or_else(|| pages.scope.region.clone());
    if asked.task.is_empty() {
        return refuse(StatusCode::BAD_REQUEST, "task: say whose logs: a task's id or ARN.");
    }
    if !is_account(&account) || !is_region(&region) {
        return refuse(StatusCode::BAD_REQUEST, "account, region: write twelve digits, and a region's name.");
    }
    let request = LogRequest {
        cluster: asked.cluster,
        task: asked.task,
        container: asked.container,
        follow: asked.follow,
        tail: asked.tail,
        since: asked.since_seconds.map(Duration::from_secs),
    };
    let context = Context::root(Scope::new(&account, &region));
    match pages.ecs.logs().read(&context, request).await {
        Ok(lines) => {
            let timestamps = asked.timestamps;
            let body = Body::from_stream(
                lines.map(move |line| line.map(|line| write(&line, timestamps)).map_err(logged)),
            );
            ([(CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response()
        }
        Err(error) => {
            let told = error.external();
            if told.code == ErrorCode::Server {
                tracing::error!(cause = %error, "logs can't be read");
                return refuse(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "The logs can't be read now; kecs's own log says why.",
                );
            }
            refuse(StatusCode::BAD_REQUEST, &told.message)
        }
    }
}

fn write(line: &LogLine, timestamps: bool) -> String {
    if timestamps { format!("{} {}\n", line.at, line.text) } else { format!("{}\n", line.text) }
}

/// The client sees its connection end early; why is only known here.
fn logged(cause: PortError) -> PortError {
    tracing::warn!(%cause, "logs that were being read have ended early");
    cause
}

fn refuse(status: StatusCode, message: &str) -> Response {
    (status, format!("{message}\n")).into_response()
}
