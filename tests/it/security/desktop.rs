//! The example of a desktop program, from end to end, and what must not disturb its login.

use std::time::Duration;

use esikit::security::BrowserLogin;
use esikit::{Error, EsiSecurity};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::browser::{get, header};
use super::sso::{Sso, close, open, until};

#[allow(dead_code, reason = "its `main` is not run")]
#[path = "../../../examples/desktop_login.rs"]
mod desktop_login;

/// A single sign-on whose redirect address is a port that is free now.
pub async fn security(sso: &Sso, host: &str) -> (EsiSecurity, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let redirect = format!("http://{host}:{port}/callback");
    let security = sso.with_pkce().redirect_uri(&redirect).build().await;
    (security.expect("built"), redirect)
}

/// The login, and the URL that its browser would open.
pub fn opened(login: BrowserLogin) -> (BrowserLogin, mpsc::UnboundedReceiver<String>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let login = login.open_with(move |url| {
        sender.send(url.to_owned()).expect("the test waits");
        Ok(())
    });
    (login, receiver)
}

#[tokio::test]
async fn a_login_ends_with_its_own_callback_and_with_nothing_else() {
    let sso = Sso::new().await;
    for host in ["localhost", "127.0.0.1"] {
        let (security, redirect) = security(&sso, host).await;
        let esi = sso.esi(security.clone());
        let (login, mut urls) = opened(desktop_login::login(&security));
        let program = tokio::spawn(async move { desktop_login::run(&esi, login).await });
        let consent = get(&urls.recv().await.expect("a URL"), None).await;
        let back = header(&consent, "location");
        let base = redirect.trim_end_matches("/callback");

        assert_eq!(get(&format!("{base}/favicon.ico"), None).await.status, 404);
        assert_eq!(get(&redirect, None).await.status, 400);
        assert_eq!(
            get(&format!("{redirect}?code=forged&state=guessed"), None)
                .await
                .status,
            400
        );
        assert_eq!(
            get(&format!("{redirect}?error=access_denied&state=guessed"), None)
                .await
                .status,
            400
        );
        let mut half_sent = TcpStream::connect(base.trim_start_matches("http://"))
            .await
            .expect("connected");
        half_sent.write_all(b"GET /call").await.expect("sent");
        let mut odd = TcpStream::connect(base.trim_start_matches("http://"))
            .await
            .expect("connected");
        odd.write_all(b"\x16\x03\x01 \xff\r\n\r\n").await.expect("sent");
        drop(
            TcpStream::connect(base.trim_start_matches("http://"))
                .await
                .expect("connected"),
        );
        assert!(!program.is_finished());

        let done = get(&back, None).await;
        assert!(
            done.status == 200 && done.body.contains("You are logged in"),
            "{}",
            done.body
        );
        let said = program.await.expect("no panic").expect("a login");
        assert_eq!(said, "Pilot 7 has 0 kinds of things");
        assert!(security.token().is_none(), "the receiver stays as it was");
    }
}

#[tokio::test]
async fn a_second_callback_is_told_that_it_is_late() {
    let sso = Sso::new().await;
    let (security, _) = security(&sso, "127.0.0.1").await;
    let (login, mut urls) = opened(security.login_in_browser(&[]));
    let program = tokio::spawn(login.into_future());
    let consent = get(&urls.recv().await.expect("a URL"), None).await;
    let back = header(&consent, "location");
    close(&sso.gate);
    let first = tokio::spawn({
        let back = back.clone();
        async move { get(&back, None).await }
    });
    until(|| !sso.grants("authorization_code").is_empty()).await;
    assert_eq!(get(&back, None).await.status, 409);
    open(&sso.gate);
    assert_eq!(first.await.expect("no panic").status, 200);
    assert_eq!(program.await.expect("no panic").expect("a login").character_id, 7);
    assert_eq!(sso.grants("authorization_code").len(), 1);
}

#[tokio::test]
async fn a_refusal_a_timeout_no_browser_and_a_taken_port_end_it() {
    let sso = Sso::new().await;
    let (security, redirect) = security(&sso, "127.0.0.1").await;
    let (login, mut urls) = opened(security.login_in_browser(&[]));
    let program = tokio::spawn(login.into_future());
    let url = urls.recv().await.expect("a URL");
    let state = url
        .split("&state=")
        .nth(1)
        .and_then(|rest| rest.split('&').next())
        .expect("a state");
    let page = get(&format!("{redirect}?error=access_denied&state={state}"), None).await;
    assert!(page.body.contains("failed"), "{}", page.body);
    let error = program.await.expect("no panic").expect_err("refused");
    assert!(
        matches!(&error, Error::Sso(sso) if sso.code == "access_denied"),
        "{error}"
    );

    let (login, _urls) = opened(security.login_in_browser(&[]).timeout(Duration::from_millis(20)));
    let error = login.await.expect_err("nobody comes");
    assert!(
        error.to_string().contains("nobody logged in within 20ms"),
        "{error}"
    );

    let nowhere = security.login_in_browser(&[]).open_with(|url| {
        let text = format!("the launcher of {url} failed");
        Err(std::io::Error::other(text))
    });
    let error = nowhere.await.expect_err("no browser");
    assert!(
        matches!(&error, Error::Config(config) if config.setting == "login_in_browser"),
        "{error}"
    );
    assert!(!error.to_string().contains("state="), "{error}");

    let port = redirect
        .split(':')
        .nth(2)
        .and_then(|rest| rest.split('/').next())
        .expect("a port");
    let _taken = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}"))
        .await
        .expect("it was freed");
    let error = security.login_in_browser(&[]).await.expect_err("taken");
    assert!(
        matches!(&error, Error::Config(config) if config.setting == "redirect_uri"),
        "{error}"
    );
}

#[tokio::test]
async fn a_redirect_uri_off_this_machine_cannot_be_listened_on() {
    let sso = Sso::new().await;
    for uri in [
        "https://localhost:8080/callback",
        "http://example.com:8080/",
        "http://localhost/callback",
        "eve:callback",
    ] {
        let security = sso
            .with_pkce()
            .redirect_uri(uri)
            .build()
            .await
            .expect("good for other ways");
        let error = security.login_in_browser(&[]).await.expect_err(uri);
        assert!(
            matches!(&error, Error::Config(config) if config.setting == "redirect_uri"),
            "{error}"
        );
    }
}
