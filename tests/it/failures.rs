//! Every way a call fails, and what its error says.

use std::error::Error as _;
use std::io::Write;
use std::time::Duration;

use esikit::error::{ApiError, DecodeError, Phase};
use esikit::{Error, Esi};
use tokio::net::TcpListener;

use crate::server::{Reply, Server, answer};

async fn status_error(server: &Server) -> Error {
    server.esi().get_status().send().await.expect_err("it fails")
}

async fn api_error(status: u16, headers: &[(&str, &str)], body: &str) -> ApiError {
    let server = Server::answering(status, headers, body).await;
    let error = status_error(&server).await;
    assert_eq!(
        (error.status(), error.operation().map(|operation| operation.id)),
        (Some(status), Some("GetStatus"))
    );
    assert!(error.may_have_been_sent());
    match error {
        Error::Api(api) if status != 420 => *api,
        Error::ErrorLimited(api) if status == 420 => *api,
        other => panic!("{other:?}"),
    }
}

async fn decode_error(body: &str) -> DecodeError {
    let server = Server::json(body).await;
    match server.esi().get_markets_region_id_orders(1).send().await {
        Err(Error::Decode(decode)) => *decode,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_page_where_nothing_is_expected_is_no_success() {
    let page = "<html><title>Log in to the Wi-Fi</title></html>";
    let server = Server::answering(200, &[("content-type", "text/html")], page).await;
    let call = server
        .esi()
        .delete_characters_character_id_mail_mail_id(1, 2)
        .header("Authorization", "Bearer token");
    match call.send().await {
        Err(Error::Decode(decode)) => assert!(decode.snippet.contains("<title>Log in"), "{decode:?}"),
        other => panic!("{other:?}"),
    }
    for (status, body) in [(204, ""), (200, ""), (201, " \n"), (200, "null")] {
        let server = Server::answering(status, &[], body).await;
        let call = server
            .esi()
            .delete_characters_character_id_mail_mail_id(1, 2)
            .header("Authorization", "Bearer token");
        call.send().await.expect("nothing is what is expected");
    }
}

#[tokio::test]
async fn every_status_keeps_the_json_error() {
    for status in [
        200, 201, 206, 300, 301, 304, 400, 401, 403, 404, 420, 422, 429, 500, 502, 503, 504, 520, 599,
    ] {
        let body = if status == 304 {
            ""
        } else {
            r#"{"error":"it did not work","sso_status":1}"#
        };
        let api = api_error(status, &[], body).await;
        let message = if status == 304 {
            "not modified, though the request had no condition"
        } else {
            "it did not work"
        };
        assert_eq!(
            (api.status, api.message.as_str(), api.body.as_str()),
            (status, message, body)
        );
        let shown = Error::Api(Box::new(api)).to_string();
        assert_eq!(shown, format!("GetStatus: ESI answered {status}: {message}"));
    }
}

#[tokio::test]
async fn html_and_nothing_keep_the_status() {
    let html = "<html><body><h1>502 Bad Gateway</h1></body></html>";
    let api = api_error(502, &[("Content-Type", "text/html"), ("X-A", "b")], html).await;
    assert_eq!((api.message.as_str(), api.body.as_str()), ("Bad Gateway", html));
    assert_eq!(api.headers.get("x-a"), Some("b"));
    assert_eq!(api_error(503, &[], "").await.message, "Service Unavailable");
    assert_eq!(
        api_error(503, &[], "come back later").await.message,
        "come back later"
    );
    assert_eq!(api_error(555, &[], "[1]").await.message, "no reason given");
    assert_eq!(
        api_error(500, &[], r#"{"error":{"code":5}}"#).await.message,
        r#"{"code":5}"#
    );
}

#[tokio::test]
async fn a_long_error_body_is_cut() {
    let api = api_error(500, &[], &"ü".repeat(100_000)).await;
    assert!(
        api.body.len() <= 2048 && api.body.ends_with('ü'),
        "{}",
        api.body.len()
    );
}

#[tokio::test]
async fn an_error_body_that_breaks_off_keeps_the_status() {
    let bytes = b"HTTP/1.1 502 X\r\nContent-Length: 100\r\n\r\nupstream died";
    let server = Server::new(Reply::Close(bytes.to_vec())).await;
    let error = status_error(&server).await;
    assert!(
        matches!(&error, Error::Api(api) if api.status == 502 && api.body == "upstream died"),
        "{error:?}"
    );
    let server = Server::answering(502, &[("Content-Encoding", "gzip")], "not gzip").await;
    assert_eq!(status_error(&server).await.status(), Some(502));
    let server = Server::answering(502, &[("Content-Encoding", "gzip")], "").await;
    assert_eq!(status_error(&server).await.status(), Some(502));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = Server::json("{}").await;
    let api = api_error(302, &[("Location", &elsewhere.url)], "").await;
    assert_eq!(api.message, "a redirect, which this client does not follow");
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn what_may_be_sent_again() {
    for (status, is_retryable) in [
        (420, true),
        (429, true),
        (502, true),
        (504, true),
        (500, false),
        (404, false),
    ] {
        let server = Server::answering(status, &[], "").await;
        assert_eq!(
            status_error(&server).await.is_retryable(),
            is_retryable,
            "{status}"
        );
        let write = server
            .esi()
            .delete_characters_character_id_contacts(1, [1_i64])
            .header("Authorization", "Bearer token")
            .send()
            .await;
        assert_eq!(
            write.expect_err("it fails").is_retryable(),
            matches!(status, 420 | 429),
            "{status}"
        );
    }
}

#[tokio::test]
async fn a_wrong_value_is_found() {
    let good = r#"{"duration":90,"is_buy_order":false,"issued":"2026-11-01T00:00:00Z","location_id":1,"min_volume":1,
        "order_id":7,"price":1.5,"range":"region","system_id":3,"type_id":34,"volume_remain":5,"volume_total":10}"#;
    let wrong = decode_error(&format!("[{good},{good},{}]", good.replace("1.5", "\"much\""))).await;
    assert_eq!((wrong.status, wrong.path.as_str()), (200, "$[2].price"));
    assert!(
        wrong.message.contains("invalid type: string \"much\""),
        "{}",
        wrong.message
    );
    assert!(
        wrong.snippet.contains("\"price\":\"much\"") && wrong.snippet.len() < 100,
        "{}",
        wrong.snippet
    );
    let missing = decode_error(&format!("[{good},{}]", good.replace("\"price\":1.5,", ""))).await;
    assert_eq!(missing.path, "$[1]");
    assert!(
        missing.message.contains("missing field `price`"),
        "{}",
        missing.message
    );
    let shown = Error::Decode(Box::new(missing)).to_string();
    assert!(
        shown.starts_with("GetMarketsRegionIdOrders: the body of a 200 answer"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_success_that_is_no_json_is_told_as_such() {
    assert_eq!(decode_error("").await.message, "the body is empty");
    assert_eq!(decode_error(" \n").await.message, "the body is empty");
    assert!(
        decode_error("<!DOCTYPE html><p>hello")
            .await
            .message
            .starts_with("HTML or XML instead of JSON")
    );
    assert!(
        decode_error(r#"[{"duration":90,"is_buy_or"#)
            .await
            .message
            .contains("EOF")
    );
    assert_eq!(decode_error("[] x").await.path, "$");
    assert!(decode_error(&"[".repeat(100_000)).await.path.len() < 1000);
}

#[tokio::test]
async fn a_body_that_is_no_utf8_is_a_decode_error() {
    let server = Server::answering(200, &[], b"[{\"a\":1},{\"b\":\"\xff\xfe\"}]").await;
    let error = server
        .esi()
        .get_markets_region_id_orders(1)
        .send()
        .await
        .expect_err("it fails");
    assert!(
        matches!(&error, Error::Decode(decode) if decode.path == "$[1].b"),
        "{error:?}"
    );
    assert!(error.to_string().contains("not UTF-8 at byte 15"), "{error}");
}

#[tokio::test]
async fn a_large_body_is_refused_while_it_comes() {
    let zeros = vec![b'0'; 200_000];
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&zeros).expect("memory");
    let gzip = gzip.finish().expect("memory");
    assert!(gzip.len() < 2_000);
    for (headers, body) in [
        (vec![], zeros.as_slice()),
        (vec![("Content-Encoding", "gzip")], gzip.as_slice()),
    ] {
        // The server never ends the answer: who waits for the end, waits in vain.
        let mut bytes = answer(200, &headers, body);
        if headers.is_empty() {
            bytes.truncate(150_000);
        }
        let server = Server::new(Reply::Hang(bytes)).await;
        let esi = server.builder().max_body(100_000).build().expect("a client");
        let error = esi.get_status().send().await.expect_err("it is too large");
        assert!(
            matches!(&error, Error::BodyTooLarge(large) if large.limit == 100_000),
            "{error:?}"
        );
        assert!(
            error.to_string().contains("`max_body`") && error.status() == Some(200),
            "{error}"
        );
    }
    let server = Server::answering(200, &[], &zeros).await;
    let raw = server
        .builder()
        .max_body(200_000)
        .build()
        .expect("a client")
        .get_status()
        .send_raw()
        .await;
    assert_eq!(raw.expect("just small enough").body().len(), 200_000);
}

#[tokio::test]
async fn a_large_error_body_keeps_the_status() {
    let server = Server::answering(500, &[], "no ".repeat(100_000)).await;
    let esi = server.builder().max_body(10_000).build().expect("a client");
    assert_eq!(
        esi.get_status().send().await.expect_err("it fails").status(),
        Some(500)
    );
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_transport_error() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&[b'['; 1000]).expect("memory");
    let gzip = gzip.finish().expect("memory");
    let cut_gzip = answer(200, &[("Content-Encoding", "gzip")], &gzip[..gzip.len() / 2]);
    let short = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1,2".to_vec();
    let no_gzip = answer(200, &[("Content-Encoding", "gzip")], b"this is not gzip");
    for bytes in [cut_gzip, short, no_gzip] {
        let server = Server::new(Reply::Close(bytes)).await;
        let error = status_error(&server).await;
        assert!(
            matches!(&error, Error::Transport(transport) if transport.phase == Phase::Body),
            "{error:?}"
        );
        assert_eq!(
            (error.status(), error.may_have_been_sent(), error.is_retryable()),
            (Some(200), true, true)
        );
        assert!(error.source().is_some());
    }
}

#[tokio::test]
async fn no_answer_is_a_transport_error_that_may_have_been_sent() {
    for bytes in [b"".as_slice(), b"HTTP/1.1 20", b"SSH-2.0-OpenSSH\r\n\r\n"] {
        let server = Server::new(Reply::Close(bytes.to_vec())).await;
        let error = status_error(&server).await;
        assert!(
            matches!(&error, Error::Transport(transport) if transport.phase == Phase::Send),
            "{error:?}"
        );
        assert_eq!((error.status(), error.may_have_been_sent()), (None, true));
    }
}

#[tokio::test]
async fn no_connection_was_certainly_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let esi = Esi::builder()
        .user_agent("a/1 (b@example.com)")
        .base_url(url)
        .build()
        .expect("a client");
    let error = esi
        .delete_characters_character_id_contacts(1, [1_i64])
        .header("Authorization", "Bearer token")
        .send()
        .await
        .expect_err("nobody there");
    assert!(
        matches!(&error, Error::Transport(transport) if transport.phase == Phase::Connect),
        "{error:?}"
    );
    assert!(
        !error.may_have_been_sent() && error.is_retryable(),
        "even a write can be sent again"
    );
    assert!(
        error.to_string().contains("connecting") && !error.to_string().contains("contact_ids"),
        "{error}"
    );
}

#[tokio::test]
async fn silence_is_a_timeout_that_names_its_setting() {
    // Long enough for a busy machine to bring the beginning of an answer.
    let brief = Duration::from_secs(1);
    let begun = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1,2".to_vec();
    for (bytes, phase, status) in [(Vec::new(), Phase::Send, None), (begun, Phase::Body, Some(200))] {
        let server = Server::new(Reply::Hang(bytes)).await;
        let reading = server.builder().read_timeout(brief).build().expect("a client");
        let whole = server.builder().timeout(brief).build().expect("a client");
        let per_call = server.esi().get_status().timeout(brief);
        for (call, setting) in [
            (reading.get_status(), "read_timeout"),
            (whole.get_status(), "timeout"),
            (per_call, "timeout"),
        ] {
            let error = call.send().await.expect_err("silence");
            let Error::Timeout(timeout) = &error else {
                panic!("{error:?}")
            };
            assert_eq!(
                (timeout.setting, timeout.phase, timeout.status),
                (setting, phase, status),
                "{error}"
            );
            assert!(error.may_have_been_sent() && error.is_retryable());
            assert!(error.to_string().contains(setting), "{error}");
        }
    }
}

#[test]
fn errors_are_small_and_go_anywhere() {
    fn goes_anywhere<T: std::error::Error + Clone + Send + Sync + 'static>() {}
    goes_anywhere::<Error>();
    assert!(std::mem::size_of::<Error>() <= 16);
}
