//! A browser of few words.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// One GET, which follows no redirect.
pub async fn get(url: &str, cookie: Option<&str>) -> Answer {
    let url = url::Url::parse(url).expect("a URL");
    let address = (url.host_str().expect("a host"), url.port().expect("a port"));
    let mut connection = TcpStream::connect(address).await.expect("somebody listens");
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let cookie = cookie.map_or_else(String::new, |cookie| format!("Cookie: {cookie}\r\n"));
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: {}\r\n{cookie}Connection: close\r\n\r\n",
        address.0
    );
    connection.write_all(request.as_bytes()).await.expect("sent");
    let mut text = String::new();
    connection.read_to_string(&mut text).await.expect("an answer");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let headers = lines.filter_map(|line| line.split_once(": "));
    Answer {
        status: status.expect("a status"),
        headers: headers
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect(),
        body: body.to_owned(),
    }
}

pub fn header(answer: &Answer, name: &str) -> String {
    let found = answer.headers.iter().find(|(given, _)| given == name);
    found
        .unwrap_or_else(|| panic!("no {name} in {:?}", answer.headers))
        .1
        .clone()
}
