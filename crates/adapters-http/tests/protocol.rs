//! The protocol on the wire: routes, errors, bodies, headers.

mod support;

use kecs_adapters_http::{EndpointOptions, ServerOptions};
use support::{Fake, answer, fake, request, send, serve};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

#[tokio::test]
async fn an_operation_is_picked_by_the_target_or_by_the_path() {
    let server = fake().await;
    let answer = send(server.address, request("Fake_1.Echo", r#"{"a":1}"#)).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"a":1}"#));
    assert_eq!(answer.header("content-type"), Some("application/x-amz-json-1.1"));
    assert!(answer.header("date").is_some());
    let answer =
        send(server.address, "POST /v1/Echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "{}"));
}

#[tokio::test]
async fn what_is_no_operation_is_an_unknown_operation_exception() {
    let server = fake().await;
    for head in [
        "POST / HTTP/1.1\r\nX-Amz-Target: Fake_1.Nope\r\n",
        "POST / HTTP/1.1\r\nX-Amz-Target: Other.Echo\r\n",
        "POST / HTTP/1.1\r\nX-Amz-Target: \u{ff}\u{fe}.Echo\r\n",
        "POST / HTTP/1.1\r\n",
        "POST /v1/Nope HTTP/1.1\r\n",
        "POST /v1/ HTTP/1.1\r\n",
        "POST /elsewhere HTTP/1.1\r\n",
        "PUT / HTTP/1.1\r\n",
        "GET /elsewhere HTTP/1.1\r\n",
        "OPTIONS * HTTP/1.1\r\n",
    ] {
        let answer = send(server.address, format!("{head}Host: x\r\nContent-Length: 0\r\n\r\n")).await;
        assert_eq!(answer.status, 400, "{head}");
        assert_eq!(answer.error().0, "UnknownOperationException", "{head}");
        assert!(answer.header("x-amzn-requestid").is_some(), "{head}");
    }
    assert!(server.metrics_text().contains("kecs_requests_refused_total 10\n"));
}

#[tokio::test]
async fn a_web_page_can_only_call_its_own_origin() {
    let server = fake().await;
    for (origin, status) in [
        ("", 200),
        ("Origin: http://x:5373\r\n", 200),
        ("Origin: http://evil.example\r\n", 400),
        ("Origin: http://x:80\r\n", 400),
        ("Origin: null\r\n", 400),
    ] {
        let head = format!("POST /v1/Echo HTTP/1.1\r\nHost: x:5373\r\n{origin}Content-Length: 2\r\n\r\n{{}}");
        let answer = send(server.address, head).await;
        assert_eq!(answer.status, status, "{origin}");
        if status == 400 {
            assert_eq!(answer.error().0, "AccessDeniedException");
        }
    }
}

#[tokio::test]
async fn every_response_has_a_request_id_of_its_own() {
    let server = fake().await;
    let mut ids = std::collections::HashSet::new();
    for target in ["Fake_1.Echo", "Fake_1.Fail", "Fake_1.Panic", "Fake_1.Nope"] {
        let answer = send(server.address, request(target, "{}")).await;
        let id = answer.header("x-amzn-requestid").unwrap().to_owned();
        assert_eq!(id.len(), 36);
        assert!(ids.insert(id));
    }
}

#[tokio::test]
async fn people_and_probes_get_a_text() {
    let server = fake().await;
    let page = send(server.address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("AWS_ENDPOINT_URL_ECS"));
    assert_eq!(page.header("content-type"), Some("text/plain; charset=utf-8"));
    let health = send(server.address, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!((health.status, health.body.as_str()), (200, "ok\n"));
}

#[tokio::test]
async fn account_and_region_come_from_the_signature() {
    let server = fake().await;
    let ask = async |extra: &str, query: &str| {
        let head = format!("POST /v1/WhoAmI{query} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n{extra}\r\n");
        send(server.address, head).await.body
    };
    let signed = |key: &str| {
        format!(
            "Authorization: AWS4-HMAC-SHA256 Credential={key}/20261124/eu-west-3/ecs/aws4_request, SignedHeaders=host, Signature=00\r\n"
        )
    };
    assert_eq!(ask("", "").await, r#""000000000000/us-east-1""#);
    assert_eq!(ask(&signed("AKIDEXAMPLE"), "").await, r#""000000000000/eu-west-3""#);
    assert_eq!(ask(&signed("123456789012"), "").await, r#""123456789012/eu-west-3""#);
    let query =
        "?X-Amz-Credential=123456789012%2F20261124%2Feu-west-3%2Fecs%2Faws4_request&X-Amz-Signature=0";
    assert_eq!(ask("", query).await, r#""123456789012/eu-west-3""#);
    assert_eq!(ask("Authorization: Bearer x\r\n", "").await, r#""000000000000/us-east-1""#);
}

#[tokio::test]
async fn a_chunked_body_is_read_whole() {
    let server = fake().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head =
        "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: Fake_1.Echo\r\nTransfer-Encoding: chunked\r\n\r\n";
    for part in [head, "5\r\n{\"a\":\r\n", "1\r\n1\r\n", "1\r\n}\r\n", "0\r\n\r\n"] {
        stream.write_all(part.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(answer(&mut stream).await.body, r#"{"a":1}"#);
    // The connection is still good for another request.
    stream.write_all(request("Fake_1.Echo", "{}").as_bytes()).await.unwrap();
    assert_eq!(answer(&mut stream).await.body, "{}");
}

#[tokio::test]
async fn a_client_that_expects_100_continue_gets_it() {
    let server = fake().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: Fake_1.Echo\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut interim = [0; 25];
    tokio::io::AsyncReadExt::read_exact(&mut stream, &mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"{}").await.unwrap();
    assert_eq!(answer(&mut stream).await.body, "{}");
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_with_and_without_a_length() {
    let options = EndpointOptions { body: 100, ..EndpointOptions::default() };
    let server = serve(Fake::default(), options, ServerOptions::default()).await;
    let at_the_limit = format!("\"{}\"", "x".repeat(98));
    assert_eq!(send(server.address, request("Fake_1.Echo", &at_the_limit)).await.status, 200);

    let beyond = format!("\"{}\"", "x".repeat(99));
    let chunked = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: Fake_1.Echo\r\nTransfer-Encoding: chunked\r\n\r\n32\r\n{}\r\n33\r\n{}\r\n0\r\n\r\n",
        &beyond[..50],
        &beyond[50..]
    );
    for request in [request("Fake_1.Echo", &beyond), chunked] {
        let answer = send(server.address, request).await;
        assert_eq!(answer.status, 413);
        let expected = ("RequestEntityTooLargeException", "The request body is larger than 100 bytes.");
        assert_eq!(answer.error(), (expected.0.to_owned(), expected.1.to_owned()));
    }
}

#[tokio::test]
async fn http_2_without_tls_is_served_too() {
    let server = fake().await;
    let stream = TcpStream::connect(server.address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(
        hyper_util::rt::TokioExecutor::new(),
        hyper_util::rt::TokioIo::new(stream),
    )
    .await
    .unwrap();
    tokio::spawn(connection);
    let request = http::Request::post("http://x/")
        .header("x-amz-target", "Fake_1.Echo")
        .body(http_body_util::Full::new(bytes::Bytes::from_static(b"{\"a\":1}")))
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
    assert_eq!(body, r#"{"a":1}"#);
}

#[tokio::test]
async fn requests_are_counted_by_operation_and_code() {
    let server = fake().await;
    for (target, times) in [("Fake_1.Echo", 3), ("Fake_1.Fail", 2), ("Fake_1.Panic", 1)] {
        for _ in 0..times {
            send(server.address, request(target, "{}")).await;
        }
    }
    let text = server.metrics_text();
    for line in [
        r#"kecs_requests_total{operation="Echo",code="OK"} 3"#,
        r#"kecs_requests_total{operation="Fail",code="ServerException"} 2"#,
        r#"kecs_requests_total{operation="Panic",code="ServerException"} 1"#,
        r#"kecs_request_duration_seconds_count{operation="Echo"} 3"#,
        "kecs_requests_in_flight 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
}
