//! `kecs logs`

use std::io::{ErrorKind, Write};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use clap::Args;
use http::{StatusCode, Uri};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::config::Span;

/// The arguments of `kecs logs`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Logs {
    /// Whose logs: a task's id or ARN
    #[arg(value_name = "TASK")]
    pub task: String,

    /// The task's cluster, by name or ARN [default: the one of the ARN, or default]
    #[arg(long, value_name = "CLUSTER")]
    pub cluster: Option<String>,

    /// The container's name; a task of one container needs none
    #[arg(long, short, value_name = "NAME")]
    pub container: Option<String>,

    /// Go on with what the container is yet to write, until it ends
    #[arg(long, short)]
    pub follow: bool,

    /// Only the last lines
    #[arg(long, value_name = "LINES")]
    pub tail: Option<usize>,

    /// Only what was written within this time, such as 90s, 10m or 2h
    #[arg(long, value_name = "TIME")]
    pub since: Option<Span>,

    /// Begin each line with its time
    #[arg(long)]
    pub timestamps: bool,

    /// Admin address of the kecs to ask
    #[arg(long, env = "KECS_ADMIN_URL", value_name = "URL", default_value = "http://127.0.0.1:5374")]
    pub admin_url: String,

    /// Region of the task [default: the one of the ARN, or kecs's own]
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,

    /// Account of the task [default: the one of the ARN, or kecs's own]
    #[arg(long, value_name = "DIGITS")]
    pub account_id: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  kecs logs 5633c197812f985e4af7104c07f46f29
  kecs logs -f --cluster shop 5633c197812f985e4af7104c07f46f29
  kecs logs -c web --tail 100 --since 10m arn:aws:ecs:us-east-1:000000000000:task/shop/5633c197812f985e4af7104c07f46f29
  kecs logs --admin-url http://kecs.example.com:5374 5633c197812f985e4af7104c07f46f29";

impl Logs {
    /// Prints them.
    ///
    /// # Errors
    /// When the server can't be reached, or has no such logs.
    pub fn run(self) -> Result<()> {
        let runtime = super::runtime(Some(1))?;
        let result = runtime.block_on(self.print());
        runtime.shutdown_background();
        result
    }

    async fn print(&self) -> Result<()> {
        let uri = self.uri()?;
        let client: Client<HttpConnector, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
        let response = client.get(uri).await.with_context(|| {
            format!(
                "no kecs answers at {}; its line `kecs ready: ... admin=...` tells where it does: --admin-url",
                self.admin_url
            )
        })?;
        let status = response.status();
        let mut body = response.into_body();
        if status != StatusCode::OK {
            let message = body.collect().await?.to_bytes();
            bail!("{}", String::from_utf8_lossy(&message).trim_end());
        }
        let mut out = std::io::stdout().lock();
        while let Some(frame) = body.frame().await {
            let frame = frame.context("the logs ended early; kecs's own log says why")?;
            let Some(data) = frame.data_ref() else { continue };
            match out.write_all(data).and_then(|()| out.flush()) {
                Ok(()) => {}
                // Whoever read has seen enough.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Where to ask. What an ARN tells needs not be told again.
    fn uri(&self) -> Result<Uri> {
        let mut of_arn =
            self.task.strip_prefix("arn:").into_iter().flat_map(|rest| rest.splitn(5, ':')).skip(2);
        let (region, account) = (of_arn.next(), of_arn.next());
        let cluster =
            of_arn.next().and_then(|rest| rest.strip_prefix("task/")?.split_once('/')).map(|it| it.0);
        let flag = |is: bool| is.then(|| "true".to_owned());
        let number = |number: Option<u64>| number.map(|number| number.to_string());
        // Rounded up: a little more than was asked for is better than nothing at all.
        let since =
            self.since.map(|since| since.0.as_millis().div_ceil(1000)).and_then(|it| u64::try_from(it).ok());
        let parameters = [
            ("task", Some(self.task.clone())),
            ("cluster", self.cluster.clone().or(cluster.map(str::to_owned))),
            ("container", self.container.clone()),
            ("follow", flag(self.follow)),
            ("tail", number(self.tail.and_then(|tail| u64::try_from(tail).ok()))),
            ("since-seconds", number(since)),
            ("timestamps", flag(self.timestamps)),
            ("region", self.region.clone().or(region.map(str::to_owned))),
            ("account", self.account_id.clone().or(account.map(str::to_owned))),
        ];
        let query: Vec<_> = parameters
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{name}={}", escape(&value?))))
            .collect();
        let base = self.admin_url.trim_end_matches('/');
        let uri: Uri = format!("{base}/logs?{}", query.join("&"))
            .parse()
            .with_context(|| format!("admin-url: {base:?} is no address such as http://127.0.0.1:5374"))?;
        if uri.scheme_str() != Some("http") {
            bail!("admin-url: {base:?} must begin with http://");
        }
        Ok(uri)
    }
}

/// A value of a query. (RFC 3986, unreserved characters)
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => escaped.push(byte.into()),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::cli::{Cli, Command};

    fn uri(args: &[&str]) -> Result<String, String> {
        let cli =
            Cli::try_parse_from([&["kecs", "logs"], args].concat()).map_err(|error| error.to_string())?;
        let Command::Logs(logs) = cli.command else { panic!("not logs") };
        logs.uri().map(|uri| uri.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn an_arn_tells_where_the_task_is() {
        let arn = "arn:aws:ecs:eu-west-1:123456789012:task/shop/0123";
        assert_eq!(
            uri(&[arn, "-f", "--since", "1500ms", "--admin-url", "http://h:1/"]).unwrap(),
            "http://h:1/logs?task=arn%3Aaws%3Aecs%3Aeu-west-1%3A123456789012%3Atask%2Fshop%2F0123&cluster=shop&\
             follow=true&since-seconds=2&region=eu-west-1&account=123456789012"
        );
        let told = uri(&[arn, "--cluster", "other", "--region", "us-east-1"]).unwrap();
        assert!(told.contains("cluster=other&region=us-east-1&account=123456789012"), "{told}");
        assert!(uri(&["a b&c=d"]).unwrap().ends_with("/logs?task=a%20b%26c%3Dd"));
    }

    #[test]
    fn an_address_that_is_none_is_refused() {
        assert!(uri(&["x", "--admin-url", "127.0.0.1:5374"]).unwrap_err().contains("admin-url"));
        assert!(uri(&["x", "--admin-url", "https://h:1"]).unwrap_err().contains("must begin with http://"));
    }
}
