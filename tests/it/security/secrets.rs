//! Everything is logged at `trace` through all flows, every value is shown, and then every secret is looked for.

use std::io::Write;
use std::sync::{Arc, Mutex};

use esikit::{Error, EsiSecurity, Scope};
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use super::sso::{ASSETS, Rotation, SECRET, Sso, basic, callback};

/// What was logged, shown or panicked.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    fn add(&self, text: impl AsRef<str>) {
        let mut bytes = self.0.lock().expect("no panic in it");
        bytes.extend_from_slice(text.as_ref().as_bytes());
        bytes.push(b'\n');
    }

    fn show(&self, error: &Error) {
        self.add(format!("{error} {error:?} {error:#?}"));
        let mut cause = std::error::Error::source(error);
        while let Some(next) = cause {
            self.add(format!("{next} {next:?}"));
            cause = next.source();
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("no panic in it")).into_owned()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic in it").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Output {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Every secret of a test, beside what the server has seen.
#[derive(Default)]
struct Secrets(Vec<String>);

impl Secrets {
    fn of_view(&mut self, view: &EsiSecurity) {
        let token = view.token().expect("tokens");
        self.0.push(token.access_token().to_owned());
        self.0.extend(token.refresh_token().map(str::to_owned));
    }

    fn of_server(&mut self, sso: &Sso, with_secret: bool) {
        let names = ["code", "code_verifier", "refresh_token", "token"];
        for asked in &sso.world().asked {
            self.0
                .extend(names.iter().filter_map(|name| asked.form.get(*name).cloned()));
        }
        self.0
            .extend(sso.world().esi_seen.iter().filter_map(|(_, token)| token.clone()));
        if with_secret {
            let basic = basic();
            self.0.push(basic["Basic ".len()..].to_owned());
            self.0.push(SECRET.to_owned());
        }
    }
}

/// Every flow, good and bad; what it shows goes to `out`.
async fn flows(sso: &Sso, security: EsiSecurity, with_secret: bool, out: &Output) -> Secrets {
    let mut secrets = Secrets::default();
    let login = security.authorize(&[Scope::from(ASSETS)]);
    out.add(format!(
        "{security:?} {login:?} {:#?}",
        sso.common().secret_key(SECRET)
    ));
    secrets.0.push(login.state().to_owned());
    let url = callback(&sso.code_for(7, &[ASSETS]), login.state());
    let who = security.auth_callback(&login, &url).await.expect("a login");
    let view = who.security();
    secrets.of_view(&view);
    out.add(format!("{who:?} {:?} {:?}", view.token(), view.verify().await));
    out.show(
        &security
            .auth_callback(&login, &url)
            .await
            .expect_err("the code is used"),
    );
    out.show(
        &security
            .auth_callback(&login, &callback("code-x-secret", "other"))
            .await
            .expect_err("forged"),
    );
    let esi = sso.esi(view.clone());
    out.add(format!("{esi:?} {:?}", esi.get_characters_character_id_assets(7)));
    sso.world().rotation = Rotation::Another;
    sso.expire();
    esi.get_characters_character_id_assets(7)
        .send()
        .await
        .expect("an answer");
    secrets.of_view(&view);
    sso.world()
        .esi_failures
        .extend([(401, "{}".to_owned()), (401, "no".to_owned())]);
    out.show(
        &esi.get_characters_character_id_assets(7)
            .send()
            .await
            .expect_err("refused"),
    );
    secrets.of_view(&view);
    for body in bad_answers(
        view.token()
            .and_then(|token| token.refresh_token().map(str::to_owned))
            .as_deref(),
    ) {
        for status in [200, 400, 500] {
            sso.world().failures.push_back((status, body.clone()));
            if let Err(error) = view.refresh().await {
                out.show(&error);
            }
        }
    }
    secrets
        .0
        .extend(["leak-access".to_owned(), "leak-refresh".to_owned()]);
    restored(sso, &security, out, &mut secrets).await;
    secrets.of_server(sso, with_secret);
    secrets
}

/// Token answers that no parser takes, with tokens in them, and refusals that repeat what was sent.
fn bad_answers(sent: Option<&str>) -> Vec<String> {
    let sent = sent.unwrap_or_default();
    vec![
        r#"{"access_token":"leak-access","refresh_token":"leak-refresh","expires_in":"leak-access"}"#
            .to_owned(),
        r#"{"access_token":["leak-access"],"token_type":"leak-refresh"}"#.to_owned(),
        r#"{"access_token":"leak-access","token_type":"Bearer","expires_in":-1}"#.to_owned(),
        r#"{"access_token":"leak-access","refresh_token":"#.to_owned(),
        "leak-access".to_owned(),
        json!({ "error": "server_error", "error_description": format!("{sent} and {SECRET} are no good") })
            .to_string(),
        json!({ "error": format!("odd {sent}"), "error_description": 3 }).to_string(),
    ]
}

async fn restored(sso: &Sso, security: &EsiSecurity, out: &Output, secrets: &mut Secrets) {
    for tokens in [
        json!({ "access_token": "leak-access", "refresh_token": "leak-refresh", "expires_in": 600 }),
        json!({ "access_token": "leak-access\n", "refresh_token": "leak-refresh", "expires_in": "leak" }),
        json!({ "access_token": "leak-access", "expires_in": ["leak-refresh"] }),
        json!("leak-access"),
    ] {
        if let Err(error) = security.update_token(&tokens, Some("restored")).await {
            out.show(&error);
        }
    }
    let view = security.identity("restored");
    out.add(format!("{view:?} {:?}", view.token()));
    out.show(&view.verify().await.expect_err("no token"));
    out.show(&view.verify_remote().await.expect_err("no token"));
    let esi = sso.esi(view.clone());
    out.show(
        &esi.get_characters_character_id_assets(7)
            .send()
            .await
            .expect_err("no login"),
    );
    let refused = json!({ "error": "leak-refresh", "error_description": "leak-refresh" }).to_string();
    sso.world().failures.push_back((400, refused));
    out.show(&view.revoke().await.expect_err("refused"));
    let other = sso.log_in(security, 8).await;
    secrets.of_view(&other);
    other.revoke().await.expect("revoked");
    out.show(&other.revoke().await.expect_err("no tokens"));
}

#[tokio::test]
async fn nothing_that_is_logged_or_shown_holds_a_secret() {
    let out = Output::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(out.clone())
        .with_ansi(false)
        .finish();
    // For this thread: the runtime of this test has no other.
    let guard = tracing::subscriber::set_default(subscriber);
    let panics = out.clone();
    for with_secret in [true, false] {
        let sso = Sso::new().await;
        let builder = if with_secret {
            sso.with_secret()
        } else {
            sso.with_pkce()
        };
        let security = builder.build().await.expect("built");
        security.subscribe(move |event| panic!("{event:?}"));
        let events = panics.clone();
        security.subscribe(move |event| events.add(format!("{event:?}")));
        let secrets = flows(&sso, security, with_secret, &out).await;
        let text = out.text();
        assert!(secrets.0.len() > 15, "{}", secrets.0.len());
        for secret in secrets.0.iter().filter(|secret| !secret.is_empty()) {
            let at = text.find(secret.as_str());
            let around = at.map(|at| &text[text[..at].rfind('\n').unwrap_or(0)..at]);
            assert!(at.is_none(), "{secret} stands after {around:?}");
        }
    }
    drop(guard);
    let text = out.text();
    for part in [
        "the single sign-on answered",
        "TRACE",
        "LoggedIn",
        "TokenUpdated",
        "RefreshFailed",
    ] {
        assert!(text.contains(part), "{part} is not in what was logged");
    }
}
