//! The load generator: keep-alive connections that ask again as soon as they are answered.
//!
//! One thread, ready-made request bytes, no parsing beyond the response's length: it must cost little, since it
//! shares the machine with what it measures. Requests are not pipelined: no SDK does that.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::client::Head;

/// What a round of load found.
#[derive(Clone, Debug)]
pub(crate) struct Round {
    /// Requests that were answered with 200, in a second.
    pub(crate) per_second: f64,
    /// The time in which 99 of 100 were answered.
    pub(crate) p99: Duration,
}

/// Sends `request` from `connections` for as long as told.
///
/// # Errors
/// When a request isn't answered with 200.
pub(crate) fn round(
    address: SocketAddr,
    request: &[u8],
    connections: usize,
    time: Duration,
) -> Result<Round> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut streams = Vec::new();
        for _ in 0..connections {
            let stream =
                TcpStream::connect(address).await.with_context(|| format!("nobody listens on {address}"))?;
            stream.set_nodelay(true)?;
            streams.push(stream);
        }
        let start = Instant::now();
        let end = start + time;
        let mut tasks = JoinSet::new();
        for stream in streams {
            tasks.spawn(connection(stream, request.to_vec(), end));
        }
        let mut times = Vec::new();
        while let Some(found) = tasks.join_next().await {
            times.extend(found??);
        }
        let took = start.elapsed();
        ensure!(!times.is_empty(), "no request was answered");
        times.sort_unstable();
        let p99 = times[(times.len() * 99 / 100).min(times.len() - 1)];
        Ok(Round {
            per_second: times.len() as f64 / took.as_secs_f64(),
            p99: Duration::from_micros(p99.into()),
        })
    })
}

/// One connection until `end`; returns how many microseconds each answer took.
async fn connection(mut stream: TcpStream, request: Vec<u8>, end: Instant) -> Result<Vec<u32>> {
    let mut buffer = vec![0; 64 * 1024];
    let mut times = Vec::with_capacity(1 << 16);
    let mut sent = Instant::now();
    while sent < end {
        stream.write_all(&request).await?;
        response(&mut stream, &mut buffer).await?;
        let now = Instant::now();
        times.push(u32::try_from((now - sent).as_micros()).unwrap_or(u32::MAX));
        sent = now;
    }
    Ok(times)
}

/// Reads one whole response.
async fn response(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<()> {
    let mut filled = 0;
    let mut head = None;
    loop {
        let read = stream.read(&mut buffer[filled..]).await?;
        ensure!(read > 0, "the server closed a connection");
        filled += read;
        if head.is_none() {
            head = Head::parse(&buffer[..filled])?;
        }
        if let Some(head) = &head {
            if filled >= head.end {
                if head.status != 200 {
                    bail!("HTTP {}: {}", head.status, String::from_utf8_lossy(&buffer[head.body..head.end]));
                }
                return Ok(());
            }
            if buffer.len() < head.end {
                buffer.resize(head.end, 0);
            }
        } else if filled == buffer.len() {
            bail!("a response's head has more than {filled} bytes");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// A server that answers every read with these bytes.
    fn server(answer: &'static [u8]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                thread::spawn(move || {
                    let mut buffer = [0; 1024];
                    while stream.read(&mut buffer).is_ok_and(|read| read > 0) {
                        if stream.write_all(answer).is_err() {
                            break;
                        }
                    }
                });
            }
        });
        address
    }

    #[test]
    fn answers_are_counted() {
        let address = server(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
        let round = round(address, b"x", 4, Duration::from_millis(200)).unwrap();
        assert!(round.per_second > 10.0, "{round:?}");
    }

    #[test]
    fn an_error_answer_is_no_throughput() {
        let address = server(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 4\r\n\r\nno!!");
        let error = round(address, b"x", 1, Duration::from_millis(200)).unwrap_err();
        assert_eq!(error.to_string(), "HTTP 400: no!!");
    }
}
