//! A small blocking HTTP client for one connection: what sets a scene up, and asks whether it's there.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// The bytes of a request for an operation, with the headers that an SDK sends.
pub(crate) fn request(address: SocketAddr, operation: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    format!(
        "POST / HTTP/1.1\r\n\
         host: {address}\r\n\
         content-type: application/x-amz-json-1.1\r\n\
         x-amz-target: AmazonEC2ContainerServiceV20141113.{operation}\r\n\
         x-amz-date: 20260101T000000Z\r\n\
         user-agent: kecs-bench\r\n\
         authorization: AWS4-HMAC-SHA256 Credential=kecs/20260101/us-east-1/ecs/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature={:064x}\r\n\
         content-length: {}\r\n\r\n{body}",
        0,
        body.len()
    )
    .into_bytes()
}

/// Where a response's parts are in what was read so far. None: not all of its head is there.
pub(crate) struct Head {
    /// The HTTP status.
    pub(crate) status: u16,
    /// Where the body begins.
    pub(crate) body: usize,
    /// Where it ends.
    pub(crate) end: usize,
}

impl Head {
    /// Parses the head of a response.
    ///
    /// # Errors
    /// When it is no HTTP/1.1 response with a `content-length`.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Self>> {
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
        let head = std::str::from_utf8(&bytes[..end]).context("the head isn't text")?;
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).context("no status")?.parse()?;
        let length = lines.find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>())
        });
        let length = length.context("a response without content-length")??;
        Ok(Some(Self { status, body: end + 4, end: end + 4 + length }))
    }
}

/// One keep-alive connection.
pub(crate) struct Client {
    address: SocketAddr,
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    /// Connects.
    pub(crate) fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))
            .with_context(|| format!("nobody listens on {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(120)))?;
        Ok(Self { address, stream, buffer: Vec::new() })
    }

    /// Calls an operation.
    ///
    /// # Errors
    /// When it isn't answered with 200; the message has the answer.
    pub(crate) fn call(&mut self, operation: &str, body: &Value) -> Result<Value> {
        let answer =
            self.answer(&request(self.address, operation, body)).with_context(|| operation.to_owned())?;
        Ok(serde_json::from_slice(&answer)?)
    }

    /// Sends these bytes and returns the body of the answer.
    pub(crate) fn answer(&mut self, request: &[u8]) -> Result<Vec<u8>> {
        self.stream.write_all(request)?;
        self.buffer.clear();
        let mut chunk = [0; 64 * 1024];
        loop {
            if let Some(head) = Head::parse(&self.buffer)?
                && self.buffer.len() >= head.end
            {
                let body = self.buffer[head.body..head.end].to_vec();
                if head.status != 200 {
                    bail!("HTTP {}: {}", head.status, String::from_utf8_lossy(&body));
                }
                return Ok(body);
            }
            let read = self.stream.read(&mut chunk)?;
            if read == 0 {
                bail!("the server closed the connection");
            }
            self.buffer.extend_from_slice(&chunk[..read]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_in_parts_is_waited_for() {
        let response = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        assert!(Head::parse(&response[..30]).unwrap().is_none());
        let head = Head::parse(response).unwrap().unwrap();
        assert_eq!((head.status, &response[head.body..head.end]), (200, &b"{}"[..]));
    }

    #[test]
    fn a_response_of_unknown_length_is_refused() {
        assert!(Head::parse(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
    }
}
