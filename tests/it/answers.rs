//! What becomes of an answer that is as it should be, or nearly.

use std::io::Write;
use std::sync::Arc;

use esikit::Error;

use crate::server::{Reply, Server};

const STATUS: &str = r#"{"players":12345,"server_version":"1","start_time":"2026-11-24T11:05:00Z","new":[{"a":null}],"vip":true}"#;
const ORDER: &str = r#"{"duration":90,"is_buy_order":false,"issued":"2026-11-01T00:00:00Z","location_id":60003760,
    "min_volume":1,"order_id":7,"price":1801793343883.8418,"range":"galaxy","system_id":30000142,"type_id":34,
    "volume_remain":5,"volume_total":10}"#;

#[tokio::test]
async fn a_response_is_its_value() {
    let server = Server::json(STATUS).await;
    let status = server.esi().get_status().send().await.expect("an answer");
    assert_eq!((status.players, status.vip), (12345, true));
    assert_eq!(status.start_time.to_rfc3339(), "2026-11-24T11:05:00+00:00");
    let shared = status.clone();
    assert_eq!(shared.map(|status| status.players).into_inner(), 12345);
    assert_eq!(status.as_ref().players, 12345);
    assert_eq!(Arc::strong_count(&status.into_arc()), 1);
}

#[tokio::test]
async fn a_list_is_iterated_and_floats_keep_their_digits() {
    let server = Server::json(&format!("[{ORDER},{ORDER}]")).await;
    let orders = server
        .esi()
        .get_markets_region_id_orders(1)
        .send()
        .await
        .expect("an answer");
    let mut total = 0.0;
    for order in &orders {
        total += order.price;
    }
    assert_eq!(total, 2.0 * 1801793343883.8418);
    assert_eq!(
        orders
            .into_iter()
            .map(|order| order.type_id.0)
            .collect::<Vec<_>>(),
        [34, 34]
    );
}

#[tokio::test]
async fn headers_have_their_types() {
    let headers = [
        ("Expires", "Tue, 24 Nov 2026 12:00:00 GMT"),
        ("Last-Modified", "Tue, 24 Nov 2026 11:55:00 GMT"),
        ("Date", "Tue, 24 Nov 2026 11:56:00 GMT"),
        ("ETag", "\"abc\""),
        ("X-Pages", "12"),
        ("X-Ratelimit-Group", "status"),
        ("X-Ratelimit-Limit", "600/15m"),
        ("X-Ratelimit-Remaining", "598"),
        ("X-Ratelimit-Used", "2"),
        ("X-Esi-Error-Limit-Remain", "100"),
        ("X-Esi-Error-Limit-Reset", "42"),
        ("X-Esi-Request-Id", "r-1"),
    ];
    let server = Server::answering(200, &headers, STATUS).await;
    let status = server.esi().get_status().send().await.expect("an answer");
    assert_eq!(
        status.expires().expect("a date").to_rfc3339(),
        "2026-11-24T12:00:00+00:00"
    );
    assert_eq!(
        (status.date().expect("a date") - status.last_modified().expect("a date")).num_seconds(),
        60
    );
    assert_eq!(
        (status.etag(), status.pages(), status.request_id()),
        (Some("\"abc\""), Some(12), Some("r-1"))
    );
    let bucket = status.rate_limit().expect("a bucket");
    assert_eq!(
        (bucket.group.as_str(), bucket.remaining, bucket.used),
        ("status", Some(598), Some(2))
    );
    assert_eq!(
        status.error_limit().map(|limit| (limit.remain, limit.reset)),
        Some((100, 42))
    );
    assert_eq!(status.headers().get("x-pages"), Some("12"));
    assert!(
        status
            .headers()
            .iter()
            .any(|(name, value)| (name, value) == ("etag", "\"abc\""))
    );
}

#[tokio::test]
async fn gzip_and_brotli_are_unpacked() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(STATUS.as_bytes()).expect("memory");
    let mut brotli = Vec::new();
    brotli::BrotliCompress(&mut STATUS.as_bytes(), &mut brotli, &Default::default()).expect("memory");
    for (encoding, body) in [("gzip", gzip.finish().expect("memory")), ("br", brotli)] {
        let server = Server::answering(200, &[("Content-Encoding", encoding)], &body).await;
        let raw = server.esi().get_status().send_raw().await.expect("an answer");
        assert_eq!(
            (raw.status(), raw.body().as_ref()),
            (200, STATUS.as_bytes()),
            "{encoding}"
        );
        assert_eq!(
            server.esi().get_status().send().await.expect("an answer").players,
            12345
        );
    }
}

#[tokio::test]
async fn chunks_are_joined() {
    let mut bytes = b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for chunk in STATUS.as_bytes().chunks(7) {
        bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    let server = Server::new(Reply::Close(bytes)).await;
    let raw = server.esi().get_status().send_raw().await.expect("an answer");
    assert_eq!(raw.into_body().as_ref(), STATUS.as_bytes());
}

#[tokio::test]
async fn the_content_type_does_not_matter() {
    let server = Server::answering(200, &[("Content-Type", "text/html")], STATUS).await;
    assert_eq!(
        server.esi().get_status().send().await.expect("an answer").players,
        12345
    );
}

#[tokio::test]
async fn a_204_is_an_empty_list_where_the_spec_says_so() {
    let server = Server::answering(204, &[("X-Pages", "1")], "").await;
    let bids = server
        .esi()
        .get_contracts_public_bids_contract_id(1)
        .send()
        .await
        .expect("an answer");
    assert!(bids.is_empty());
    assert_eq!((bids.status(), bids.pages()), (204, Some(1)));
    let error = server
        .esi()
        .get_status()
        .send()
        .await
        .expect_err("a status is not nothing");
    assert!(
        matches!(&error, Error::Decode(decode) if decode.message.contains("empty")),
        "{error:?}"
    );
    assert_eq!(error.status(), Some(204));
}

#[tokio::test]
async fn a_raw_answer_is_not_decoded() {
    let server = Server::json("[truncated").await;
    let raw = server.esi().get_status().send_raw().await.expect("an answer");
    assert_eq!(raw.body().as_ref(), b"[truncated");
    assert_eq!(raw.headers().get("content-type"), Some("application/json"));
    assert!(!format!("{raw:?}").contains("truncated"));
}
