//! Everything is logged at `trace` through all flows, every value is shown, and then every secret is looked for.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use esikit::security::{EsiSecurityBuilder, Login};
use esikit::{Error, EsiSecurity, Scope};
use serde_json::{Value, json};
use tracing_subscriber::filter::LevelFilter;
use url::form_urlencoded;

use super::browser::{get, header};
use super::jwt::Signer;
use super::log::Log;
use super::moody::Moody;
use super::sso::{ASSETS, REDIRECT, Rotation, SECRET, Sso, assets, basic, callback};

/// One way to log in, all that is shown on it, and all that must not be.
struct Walk {
    sso: Sso,
    log: Log,
    secrets: BTreeSet<String>,
    with_secret: bool,
}

impl Walk {
    fn builder(&self) -> EsiSecurityBuilder {
        if self.with_secret {
            self.sso.with_secret()
        } else {
            self.sso.with_pkce()
        }
    }

    /// A single sign-on whose every event panics, which is a text too, and is shown.
    async fn security(&self, builder: EsiSecurityBuilder) -> EsiSecurity {
        self.log.add(format!("{builder:?} {builder:#?}"));
        let security = builder.build().await.expect("built");
        security.subscribe(|event| panic!("{event:?}"));
        let log = self.log.clone();
        security.signal_token_updated(move |identity, token| log.add(format!("{identity} {token:?}")));
        security
    }

    /// Notes the secrets of a login that begins.
    fn begin(&mut self, login: &Login) {
        self.log.add(format!("{login:?}"));
        let kept = serde_json::to_value(login).expect("it serialises");
        for name in ["state", "verifier"] {
            self.secrets.extend(kept[name].as_str().map(str::to_owned));
        }
    }

    /// Notes the secret in a URL that a browser was sent to.
    fn opened(&mut self, url: &str) {
        let url = url::Url::parse(url).expect("a URL");
        let state = url.query_pairs().find(|(name, _)| name == "state");
        self.secrets.insert(state.expect("a state").1.into_owned());
    }

    /// Shows a view with all that it has, and notes its tokens.
    fn look(&mut self, view: &EsiSecurity) {
        let token = view.token();
        self.log.add(format!("{view:?} {token:?} {token:#?}"));
        let Some(token) = token else { return };
        self.log.add(format!("{:?}", token.to_json()));
        self.secrets.insert(token.access_token().to_owned());
        self.secrets.extend(token.refresh_token().map(str::to_owned));
    }

    fn failed<T: std::fmt::Debug>(&self, outcome: Result<T, Error>) {
        self.log.show(&outcome.expect_err("it fails"));
    }

    /// Notes what the servers were sent.
    fn sent(&mut self) {
        let world = self.sso.world();
        for asked in &world.asked {
            for name in ["code", "code_verifier", "refresh_token", "token"] {
                self.secrets.extend(asked.form.get(name).cloned());
            }
        }
        let seen = world.esi_seen.iter().filter_map(|(_, token)| token.clone());
        self.secrets.extend(seen);
        self.secrets.extend(world.refresh_tokens.keys().cloned());
        self.secrets.extend(world.codes.keys().cloned());
    }
}

/// Logs in, and fails to, by every way there is.
async fn logins(walk: &mut Walk) -> EsiSecurity {
    let security = walk.security(walk.builder()).await;
    let uri = security.get_auth_uri(
        &[Scope::from(ASSETS), Scope::from("odd")],
        "state-of-mine-secret",
        false,
    );
    walk.opened(&uri);
    let login = security.authorize(&[Scope::from(ASSETS)]);
    walk.begin(&login);
    let url = callback(&walk.sso.code_for(7, &[ASSETS]), login.state());
    let who = security.auth_callback(&login, &url).await.expect("a login");
    walk.log.add(format!("{who:?} {who:#?}"));
    walk.look(&who.security());
    // Its code is used up.
    walk.failed(security.auth_callback(&login, &url).await);
    for url in [
        callback("code-x-secret", "state-x-secret"),
        format!(
            "{REDIRECT}?error=access_denied&error_description=no&state={}",
            login.state()
        ),
        format!(
            "{REDIRECT}?code=code-x-secret&code=code-y-secret&state={}",
            login.state()
        ),
        format!("{REDIRECT}#code=code-x-secret"),
    ] {
        walk.failed(security.auth_callback(&login, &url).await);
    }
    security.auth(&walk.sso.code_for(9, &[])).await.expect("a login");
    walk.look(&security);
    walk.failed(security.auth("code-x-secret").await);
    who.security()
}

/// Calls that use, refresh, reduce and verify tokens.
async fn calls(walk: &mut Walk, view: &EsiSecurity) {
    let sso = walk.sso.clone();
    let esi = sso.esi(view.clone());
    walk.log
        .add(format!("{esi:?} {:?}", esi.get_characters_character_id_assets(7)));
    sso.world().rotation = Rotation::Another;
    sso.expire();
    assets(&esi, 7).await.expect("an answer");
    walk.look(view);
    walk.log
        .add(format!("{:?}", view.refresh().await.expect("refreshed")));
    let fewer = view.refresh_scopes(&[Scope::from("publicData")]).await;
    walk.log.add(format!("{:?}", fewer.expect("refreshed")));
    walk.look(view);
    walk.failed(assets(&esi, 7).await);
    view.refresh().await.expect("refreshed");
    walk.log
        .add(format!("{:?}", view.verify().await.expect("claims")));
    walk.log
        .add(format!("{:?}", view.verify_remote().await.expect("an answer")));
    let refusals = [(401, "{}".to_owned()), (401, "no".to_owned())];
    sso.world().esi_failures.extend(refusals);
    walk.failed(assets(&esi, 7).await);
    walk.look(view);
}

/// Token answers that no parser takes, with tokens in them, and refusals that repeat what was sent.
fn bad_answers(sent: &str, secret: &str) -> Vec<String> {
    vec![
        r#"{"access_token":"leak-access","refresh_token":"leak-refresh","expires_in":"leak-access"}"#
            .to_owned(),
        r#"{"access_token":["leak-access"],"token_type":"leak-refresh"}"#.to_owned(),
        r#"{"access_token":"leak-access","token_type":"Bearer","expires_in":-1}"#.to_owned(),
        r#"{"access_token":"leak-access","refresh_token":"#.to_owned(),
        "leak-access".to_owned(),
        json!({ "error": "server_error", "error_description": format!("{sent} and {secret} are no good") })
            .to_string(),
        json!({ "error": format!("odd {sent}"), "error_description": 3 }).to_string(),
    ]
}

async fn answers(walk: &mut Walk, view: &EsiSecurity) {
    let sent = view
        .token()
        .expect("tokens")
        .refresh_token()
        .expect("one")
        .to_owned();
    let secret = if walk.with_secret { SECRET } else { "nothing" };
    for body in bad_answers(&sent, secret) {
        for status in [200, 400, 500] {
            walk.sso.world().failures.push_back((status, body.clone()));
            walk.failed(view.refresh().await);
        }
        walk.sso.world().failures.push_back((200, body));
        walk.failed(view.auth("code-x-secret").await);
    }
    // An access token that is none, with a refresh token that counts.
    let odd =
        json!({ "access_token": "leak-access", "token_type": "Bearer", "refresh_token": sent }).to_string();
    walk.sso.world().failures.push_back((200, odd));
    walk.failed(view.refresh().await);
    walk.look(view);
}

async fn restored(walk: &mut Walk, security: &EsiSecurity) {
    for tokens in [
        json!({ "access_token": "leak-access", "refresh_token": "leak-refresh", "expires_in": 600 }),
        json!({ "access_token": "leak-access\n", "refresh_token": "leak-refresh", "expires_in": "leak" }),
        json!({ "access_token": "leak-access", "expires_in": ["leak-refresh"] }),
        json!({ "access_token": "leak-access", "expires_at": "leak-refresh" }),
        json!("leak-access"),
    ] {
        if let Err(error) = security.update_token(&tokens, Some("restored")).await {
            walk.log.show(&error);
        }
    }
    let view = security.identity("restored");
    walk.look(&view);
    walk.failed(view.verify().await);
    walk.failed(view.verify_remote().await);
    walk.failed(assets(&walk.sso.esi(view.clone()), 7).await);
}

/// Every way in which a login ends.
async fn ends(walk: &mut Walk, security: &EsiSecurity) {
    let sso = walk.sso.clone();
    let view = security.identity("restored");
    let refused = json!({ "error": "leak-refresh", "error_description": "leak-refresh" }).to_string();
    sso.world().failures.push_back((400, refused));
    walk.failed(view.revoke().await);
    let revoked = sso.log_in(security, 8).await;
    walk.look(&revoked);
    revoked.revoke().await.expect("revoked");
    walk.failed(revoked.revoke().await);

    let (dead, sold) = (sso.log_in(security, 10).await, sso.log_in(security, 11).await);
    walk.look(&dead);
    walk.look(&sold);
    walk.sent();
    for account in sso.world().refresh_tokens.values_mut() {
        account.owner = "somebody else".to_owned();
    }
    walk.failed(sold.refresh().await);
    walk.look(&sold);
    walk.failed(assets(&sso.esi(sold), 11).await);
    sso.world().refresh_tokens.clear();
    walk.failed(dead.refresh().await);
    walk.failed(assets(&sso.esi(dead), 10).await);
}

/// Stores, discovery and keys that fail.
async fn trouble(walk: &mut Walk) {
    let sso = walk.sso.clone();
    let store = Moody::default();
    let security = walk.security(walk.builder().token_store(store.clone())).await;
    let view = sso.log_in(&security, 7).await;
    store.fails_to_write.store(true, Ordering::SeqCst);
    walk.failed(view.refresh().await);
    walk.failed(assets(&sso.esi(view.clone()), 7).await);
    walk.failed(security.auth(&sso.code_for(7, &[])).await);
    walk.look(&view);
    walk.look(&security);
    store.fails_to_read.store(true, Ordering::SeqCst);
    walk.failed(security.identity("unknown").verify().await);
    walk.failed(view.revoke().await);

    let good = {
        let world = sso.world();
        (world.discovery.clone(), world.jwks.clone())
    };
    let kept = json!({ "leak-access": "leak-refresh" });
    for discovery in [
        None,
        Some(json!("leak-access")),
        Some(json!({ "token_endpoint": "leak:access" })),
    ] {
        sso.world().discovery = discovery;
        walk.security(walk.builder()).await;
    }
    sso.world().discovery = good.0;
    let other = json!({ "keys": [Signer::other_rsa().jwk("key-1")] });
    for keys in [Value::Null, kept, other] {
        sso.world().jwks = keys;
        let security = walk.security(walk.builder()).await;
        walk.failed(security.auth(&sso.code_for(7, &[])).await);
    }
    sso.world().jwks = good.1;
    walk.sent();
}

/// The examples, by a browser.
async fn browsers(walk: &mut Walk) {
    let url = super::web::serve(&walk.sso).await;
    let begun = get(&format!("{url}/login"), None).await;
    let cookie = header(&begun, "set-cookie");
    let cookie = cookie.split(';').next().expect("a pair");
    walk.opened(&header(&begun, "location"));
    let kept = form_urlencoded::parse(cookie.as_bytes())
        .next()
        .expect("a login")
        .1;
    walk.begin(&serde_json::from_str(&kept).expect("a login"));
    let back = header(&get(&header(&begun, "location"), None).await, "location");
    for cookie in [None, Some(cookie), Some(cookie)] {
        walk.log.add(get(&back, cookie).await.body);
    }

    #[cfg(feature = "login")]
    {
        let (security, redirect) = super::desktop::security(&walk.sso, "127.0.0.1").await;
        let (login, mut urls) = super::desktop::opened(security.login_in_browser(&[Scope::from(ASSETS)]));
        walk.log.add(format!("{login:?}"));
        let program = tokio::spawn(login.into_future());
        let url = urls.recv().await.expect("a URL");
        walk.opened(&url);
        walk.log.add(
            get(&format!("{redirect}?code=code-x-secret&state=forged"), None)
                .await
                .body,
        );
        let back = header(&get(&url, None).await, "location");
        walk.log.add(get(&back, None).await.body);
        let who = program.await.expect("no panic").expect("a login");
        walk.log.add(format!("{who:?}"));
        walk.look(&who.security());
        let nowhere = security.login_in_browser(&[]);
        let nowhere = nowhere.open_with(|url| Err(std::io::Error::other(url.to_owned())));
        walk.failed(nowhere.await);
    }
    walk.sent();
}

fn assert_silent(walk: &Walk) {
    let text = walk.log.text();
    let fixed = ["leak-access", "leak-refresh", "-secret", "eyJ"].map(str::to_owned);
    let shown = |secret: &str| {
        let at = text.find(secret)?;
        Some(&text[text[..at].rfind('\n').unwrap_or(0)..at])
    };
    assert!(walk.secrets.len() > 40, "{}", walk.secrets.len());
    for secret in walk
        .secrets
        .iter()
        .chain(&fixed)
        .filter(|secret| !secret.is_empty())
    {
        assert_eq!(shown(secret), None, "{secret} stands after that");
    }
}

#[tokio::test]
async fn nothing_that_is_logged_or_shown_holds_a_secret() {
    let log = Log::default();
    // For this thread: the runtime of this test has no other.
    let guard = log.begin(LevelFilter::TRACE);
    log.panics();
    for with_secret in [true, false] {
        let mut walk = Walk {
            sso: Sso::new().await,
            log: log.clone(),
            secrets: BTreeSet::new(),
            with_secret,
        };
        if with_secret {
            let basic = basic();
            walk.secrets.insert(basic["Basic ".len()..].to_owned());
            walk.secrets.insert(SECRET.to_owned());
        }
        let view = logins(&mut walk).await;
        calls(&mut walk, &view).await;
        answers(&mut walk, &view).await;
        restored(&mut walk, &view).await;
        ends(&mut walk, &view).await;
        trouble(&mut walk).await;
        browsers(&mut walk).await;
        assert_silent(&walk);
    }
    drop(guard);
    let text = log.text();
    for part in [
        "the single sign-on answered",
        "TRACE",
        "LoggedIn",
        "TokenUpdated",
        "RefreshFailed",
        "LoginDead",
        "OwnerChanged",
        "discovery failed",
        "the disk is full",
        "starting new connection",
        "panic: ",
        "invalid_grant",
        "is logged in and has 0 kinds of things",
    ] {
        assert!(text.contains(part), "{part} is not in what was logged");
    }
}
