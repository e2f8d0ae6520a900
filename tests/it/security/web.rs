//! The example of a web application, from end to end.

use super::browser::{get, header};
use super::sso::Sso;

#[allow(dead_code, reason = "its `main` is not run")]
#[path = "../../../examples/web_login.rs"]
mod web_login;

/// The application on a port of its own; where it is.
pub async fn serve(sso: &Sso) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let builder = sso.with_secret().redirect_uri(format!("{url}/callback"));
    let security = builder.build().await.expect("built");
    let app = web_login::app(security.clone(), sso.esi(security));
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

#[tokio::test]
async fn a_browser_logs_in_and_no_other_takes_its_login() {
    let sso = Sso::new().await;
    let url = serve(&sso).await;
    assert!(get(&format!("{url}/"), None).await.body.contains("/login"));
    let begun = get(&format!("{url}/login"), None).await;
    assert_eq!(begun.status, 303);
    let cookie = header(&begun, "set-cookie");
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    let cookie = cookie.split(';').next().expect("a pair").to_owned();
    let consent = get(&header(&begun, "location"), None).await;
    assert_eq!(consent.status, 302, "the user says yes");
    let back = header(&consent, "location");

    let stranger = get(&back, None).await;
    assert_eq!(stranger.status, 400, "{}", stranger.body);
    let other = get(&format!("{url}/login"), None).await;
    let other = header(&other, "set-cookie")
        .split(';')
        .next()
        .expect("a pair")
        .to_owned();
    let mixed = get(&back, Some(&other)).await;
    assert!(
        mixed.status == 400 && mixed.body.contains("state"),
        "{}",
        mixed.body
    );

    let done = get(&back, Some(&cookie)).await;
    assert_eq!(
        (done.status, done.body.as_str()),
        (200, "Pilot 7 is logged in and has 0 kinds of things.")
    );
    let again = get(&back, Some(&cookie)).await;
    assert!(
        again.status == 400 && again.body.contains("invalid_grant"),
        "the code is used: {}",
        again.body
    );
}
