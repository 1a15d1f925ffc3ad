//! What is no request at all, or one that was damaged on its way, over a real connection: the answer is always HTTP, never
//! our fault, and the server goes on.

use std::net::SocketAddr;
use std::time::Duration;

use kecs_adapters_http::{EndpointOptions, ServerOptions};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::dice::Dice;
use crate::generate::Generator;
use crate::scene;
use crate::schema::MODEL;
use crate::support;
use crate::world::{ME, World};

/// How many requests there are, and how many are under way together.
const ROUNDS: usize = 3_000;
const AT_ONCE: usize = 50;

/// How long an answer is waited for before the sending side is closed: what ends in the middle is only then known to.
const PATIENCE: Duration = Duration::from_millis(500);

/// Sends bytes, and gives the status and the body of what comes back; none if the connection is just closed.
async fn send(address: SocketAddr, request: &[u8]) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).await.expect("the server takes connections");
    // The server may have closed before all of it is sent.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    // A caller that closes its side is one that has gone, so the beginning of the answer is waited for; after that, what
    // was meant to be kept alive ends, too.
    let _ = tokio::time::timeout(PATIENCE, stream.read_buf(&mut answer)).await;
    let _ = stream.shutdown().await;
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
    assert!(
        read.is_ok(),
        "no end of the answer to {}",
        String::from_utf8_lossy(&request[..request.len().min(300)])
    );
    let text = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    Some((head.get(9..12)?.parse().expect("a status"), body.to_owned()))
}

fn request(target: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Amz-Target: AmazonEC2ContainerServiceV20141113.{target}\r\n\
         Content-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn nested(open: &str, close: &str, depth: usize) -> Vec<u8> {
    format!("{{\"x\":{}1{}}}", open.repeat(depth), close.repeat(depth)).into_bytes()
}

/// A damaged request: what it is, and its bytes.
fn damaged(dice: &mut Dice, target: &str, body: &Value) -> (&'static str, Vec<u8>) {
    let text = body.to_string().into_bytes();
    let whole = request(target, &text);
    let head = whole.len() - text.len();
    match dice.below(14) {
        0 => {
            ("a body that is cut off, with its new length", request(target, &text[..dice.below(text.len())]))
        }
        1 => ("a request that is cut off", whole[..dice.below(whole.len())].to_vec()),
        2 => {
            let mut bytes = whole;
            let at = head + dice.below(text.len());
            bytes[at] = dice.below(256) as u8;
            ("one byte of the body changed", bytes)
        }
        3 => {
            let mut bytes = whole;
            let at = dice.below(head);
            bytes[at] = dice.below(256) as u8;
            ("one byte of the head changed", bytes)
        }
        4 => ("deep lists", request(target, &nested("[", "]", *dice.pick(&[10, 64, 128, 1_000, 100_000])))),
        5 => {
            ("deep structures", request(target, &nested("{\"x\":", "}", *dice.pick(&[10, 64, 128, 50_000]))))
        }
        6 => {
            let cut = 1 + dice.below(text.len());
            let mut bytes = request(target, b"");
            let at = bytes.len() - "Content-Length: 0\r\n\r\n".len();
            bytes.truncate(at);
            bytes.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
            for chunk in text.chunks(cut) {
                bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                bytes.extend_from_slice(chunk);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(dice.pick::<&[u8]>(&[
                &b"0\r\n\r\n"[..],
                b"",
                b"zz\r\n",
                b"-1\r\n\r\n",
                b"ffffffffffffffff\r\n",
            ]));
            ("chunks", bytes)
        }
        7 => {
            let size = *dice.pick(&[1 << 19, (1 << 20) - 2, (1 << 20) + 1, 1 << 21]);
            ("a large body", request(target, format!("{{\"x\":\"{}\"}}", "a".repeat(size)).as_bytes()))
        }
        8 => (
            "no JSON",
            request(target, dice.pick::<&[u8]>(&[b"\xff\xfe", b"{]", b"nul", b"{\"a\" 1}", b"'a'", b"\0"])),
        ),
        9 => {
            let odd = [
                "Nope",
                "",
                "RunTask.",
                ".RunTask",
                "runtask",
                "RunTask\\",
                "../RunTask",
                "RunTask;ListTasks",
            ];
            ("no such operation", request(dice.pick::<&str>(&odd), &text))
        }
        10 => {
            let head = String::from_utf8_lossy(&whole[..head]).into_owned();
            let kinds =
                ["text/xml", "", "application/json; charset=utf-16", "multipart/form-data; boundary=x"];
            let head = head.replace("application/x-amz-json-1.1", dice.pick::<&str>(&kinds));
            ("another content type", [head.as_bytes(), &text].concat())
        }
        11 => {
            let twice = format!("{{{0},{0}}}", &String::from_utf8_lossy(&text)[1..text.len() - 1]);
            ("every member twice", request(target, twice.as_bytes()))
        }
        12 => {
            let head = String::from_utf8_lossy(&whole[..head]).into_owned();
            let odd = [
                "Authorization: AWS4-HMAC-SHA256 Credential=\u{fc}/x/y/z\r\n\r\n".to_owned(),
                "Authorization: AWS4-HMAC-SHA256 Credential=////, \r\n\r\n".to_owned(),
                "X-Forwarded-Proto: \u{1}\r\n\r\n".to_owned(),
                format!("X-Long: {}\r\n\r\n", "a".repeat(100_000)),
                format!("{}\r\n", "X-Many: 1\r\n".repeat(300)),
                "Content-Length: 5\r\n\r\n".to_owned(),
                "Transfer-Encoding: gzip, chunked\r\n\r\n".to_owned(),
                "Expect: something\r\n\r\n".to_owned(),
                "Content-Encoding: gzip\r\n\r\n".to_owned(),
            ];
            let head = head.replace("\r\n\r\n", &format!("\r\n{}", dice.pick(&odd)));
            ("an odd header", [head.as_bytes(), &text].concat())
        }
        _ => {
            let noise = (0..dice.below(400)).map(|_| dice.below(256) as u8).collect();
            ("noise", noise)
        }
    }
}

#[test]
fn damaged_requests_are_refused_and_the_server_goes_on() {
    let world = World::new();
    let scene = scene::fill(&world);
    let seed = std::env::var("KECS_FUZZ_SEED").map_or(1, |seed| seed.parse().expect("a seed is a number"));
    let mut generator = Generator { scene: &scene, dice: Dice::new(seed) };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let server = support::serve(world.api(), EndpointOptions::default(), ServerOptions::default()).await;
        let mut answers = std::collections::BTreeMap::<(&str, u16), usize>::new();
        for round in 0..ROUNDS / AT_ONCE {
            let mut requests = Vec::with_capacity(AT_ONCE);
            for _ in 0..AT_ONCE {
                let operation = generator.dice.pick(&MODEL.operations);
                let body = generator.request(operation);
                requests.push(damaged(&mut generator.dice, &operation.name, &body));
            }
            let sent = requests.iter().map(|(_, bytes)| send(server.address, bytes));
            for ((what, _), answer) in requests.iter().zip(futures::future::join_all(sent).await) {
                let (status, body) = answer.unwrap_or_default();
                *answers.entry((what, status)).or_default() += 1;
                let told = format!("seed {seed}, round {round}, {what}: {status} {body:.300}");
                assert!(status < 500, "{told}");
                // What hyper refuses has no body; what we do says why. Another head may ask for a page of text.
                let is_page = what.contains("head") || what.contains("cut off") || *what == "noise";
                let is_json = body.is_empty() || serde_json::from_str::<Value>(&body).is_ok();
                assert!(is_json || is_page, "{told}");
                assert!(status != 200 || !["no JSON", "no such operation"].contains(what), "{told}");
            }
        }
        for ((what, status), count) in answers {
            println!("{what}: {count} x {status}");
        }
        let alive = send(server.address, &request("ListClusters", b"{}")).await.expect("an answer");
        assert_eq!(alive.0, 200, "{}", alive.1);
    });
    // And nothing of it has hurt what is there.
    world.ok("DescribeClusters", &json!({}));
    assert!(world.ask(ME, "ListTasks", &json!({})).status < 500);
}
