//! No input from outside panics.

use std::cell::Cell;

use esikit::clock::{Clock, SystemClock};
use esikit::error::TokenFault;
use esikit::security::{EsiSecurityBuilder, SsoEndpoints};
use esikit::{Error, EsiSecurity};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::jwt::{Signer, claims, encode};
use super::sso::{REDIRECT, Sso};

const NOWHERE: &str = "http://127.0.0.1:1";

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(future)
}

fn offline() -> EsiSecurityBuilder {
    EsiSecurity::builder()
        .client_id("id")
        .redirect_uri(REDIRECT)
        .pkce()
        .sso_url(NOWHERE)
        .esi_url(NOWHERE)
        .sso_endpoints(SsoEndpoints::of(NOWHERE))
        .headers([("User-Agent", "a")])
}

/// JSON of any shape, with the names that matter among its keys.
fn json_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        any::<String>().boxed(),
        proptest::sample::select(vec![
            "RSA",
            "EC",
            "P-256",
            "sig",
            "RS256",
            "ES256",
            "key-1",
            "AQAB",
            "2026-11-01T10:00:00Z"
        ])
        .prop_map(str::to_owned)
        .boxed(),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    let names = vec![
        "keys",
        "kid",
        "kty",
        "n",
        "e",
        "x",
        "y",
        "crv",
        "use",
        "alg",
        "access_token",
        "refresh_token",
        "expires_in",
        "expires_at",
        "issuer",
        "token_endpoint",
        "authorization_endpoint",
        "jwks_uri",
        "revocation_endpoint",
        "iss",
        "aud",
        "sub",
        "scp",
        "exp",
        "nbf",
        "iat",
        "name",
        "owner",
        "token_type",
        "error",
        "error_description",
    ];
    leaf.prop_recursive(4, 64, 8, move |inner| {
        let key = prop_oneof![
            proptest::sample::select(names.clone())
                .prop_map(str::to_owned)
                .boxed(),
            any::<String>().boxed(),
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((key, inner), 0..8).prop_map(Value::from_iter),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn callbacks(url in any::<String>(), query in "[?&#=%a-z0-9+]{0,60}", known in any::<bool>()) {
        run(async {
            let security = offline().build().await.expect("built");
            let login = security.authorize(&[]);
            let tail = if known { format!("?state={}&{query}&error=x", login.state()) } else { format!("?{query}") };
            let _ = security.auth_callback(&login, &url).await.map_err(|error| error.to_string());
            let _ = security.auth_callback(&login, &format!("{REDIRECT}{tail}")).await.map_err(|error| error.to_string());
        });
    }

    #[test]
    fn restored_tokens(tokens in json_value()) {
        run(async {
            let security = offline().build().await.expect("built");
            if security.update_token(&tokens, None).await.is_ok() {
                let _ = security.is_token_expired(chrono::TimeDelta::MAX);
                let _ = security.is_token_expired(chrono::TimeDelta::MIN);
            }
        });
    }

    /// Of any shape: few of them get far.
    #[test]
    fn keys_and_tokens(keys in json_value(), header in json_value(), claims in json_value(), text in any::<String>()) {
        run(async {
            let Ok(security) = offline().jwks_key(keys).build().await else { return };
            for token in [text, format!("{}.{}.AA", encode(header.to_string()), encode(claims.to_string()))] {
                let tokens = json!({ "access_token": token, "expires_in": 9 });
                if security.update_token(&tokens, None).await.is_ok() {
                    let _ = security.verify().await.map_err(|error| error.to_string());
                }
            }
        });
    }

    #[test]
    fn signed_claims(claims in json_value()) {
        run(async {
            let signer = Signer::rsa();
            let security = offline().jwks_key(signer.jwk("key-1")).build().await.expect("built");
            let token = signer.sign(&json!({ "alg": "RS256", "kid": "key-1" }), &claims);
            let tokens = json!({ "access_token": token, "expires_in": 9 });
            security.update_token(&tokens, None).await.expect("taken");
            let _ = security.verify().await.map_err(|error| error.to_string());
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn answers_of_the_sso(discovery in json_value(), keys in json_value(), answer in json_value(), status in 200_u16..600) {
        run(async {
            let sso = Sso::new().await;
            sso.world().discovery = Some(discovery);
            sso.world().jwks = keys;
            let security = sso.with_pkce().timeout(std::time::Duration::from_secs(5)).build().await.expect("built");
            sso.world().failures.push_back((status, answer.to_string()));
            let _ = security.auth("code").await.map_err(|error| error.to_string());
        });
    }
}

/// A key or token with one field that may be anything.
fn spoilt(good: Value) -> impl Strategy<Value = Value> {
    let names: Vec<String> = good.as_object().expect("an object").keys().cloned().collect();
    let bytes = proptest::collection::vec(any::<u8>(), 0..300).prop_map(|bytes| json!(encode(bytes)));
    let anything = prop_oneof![bytes, json_value()];
    (proptest::sample::select(names), anything, any::<bool>()).prop_map(move |(name, value, is_spoilt)| {
        let mut made = good.clone();
        if is_spoilt {
            made[name] = value;
        }
        made
    })
}

/// A key, and a token that names it: each nearly good, so that what stands behind the first checks is reached.
fn near_misses() -> impl Strategy<Value = (Value, String)> {
    let signers = proptest::sample::select(vec![false, true]);
    signers.prop_flat_map(|is_rsa| {
        let signer = if is_rsa { Signer::rsa() } else { Signer::ec() };
        let header = json!({ "alg": signer.algorithm(), "kid": "key-1", "typ": "JWT" });
        let mut good = claims(
            7,
            "owner",
            &["publicData"],
            NOWHERE,
            SystemClock.now().timestamp(),
        );
        good["aud"] = json!(["id", "EVE Online"]);
        let signature = proptest::collection::vec(any::<u8>(), 0..300);
        let parts = (
            spoilt(signer.jwk("key-1")),
            spoilt(header),
            spoilt(good),
            signature,
            any::<bool>(),
        );
        parts.prop_map(move |(key, header, claims, signature, is_signed)| {
            let mut token = signer.sign(&header, &claims);
            if !is_signed {
                let dot = token.rfind('.').expect("three parts");
                token.truncate(dot + 1);
                token.push_str(&encode(signature));
            }
            (key, token)
        })
    })
}

/// How far a token came.
#[derive(PartialEq, PartialOrd)]
enum Reached {
    Nothing,
    Signature,
    Claims,
    End,
}

fn reached(outcome: &Result<esikit::token::Claims, Error>) -> Reached {
    match outcome {
        Ok(_) => Reached::End,
        Err(Error::TokenInvalid(invalid)) => match invalid.why {
            TokenFault::Signature => Reached::Signature,
            TokenFault::Claim(_)
            | TokenFault::Issuer(_)
            | TokenFault::Audience(_)
            | TokenFault::Expired
            | TokenFault::NotYetValid
            | TokenFault::Subject
            | TokenFault::Scopes => Reached::Claims,
            _ => Reached::Nothing,
        },
        Err(_) => Reached::Nothing,
    }
}

/// Counted, since a property that never gets behind the first check would hold for any code there.
#[test]
fn keys_and_tokens_that_are_nearly_good() {
    const CASES: u32 = 512;
    let config = ProptestConfig {
        cases: CASES,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let counts = [Reached::Signature, Reached::Claims, Reached::End].map(|step| (step, Cell::new(0)));
    let outcome = TestRunner::new(config).run(&near_misses(), |(key, token)| {
        run(async {
            // A key that is none is refused here already.
            let Ok(security) = offline().jwks_key(key).build().await else {
                return;
            };
            let tokens = json!({ "access_token": token, "expires_in": 9 });
            security.update_token(&tokens, None).await.expect("taken");
            let outcome = security.verify().await;
            let far = reached(&outcome);
            let _ = outcome.map_err(|error| error.to_string());
            for (_, count) in counts.iter().filter(|(step, _)| far >= *step) {
                count.set(count.get() + 1);
            }
        });
        Ok(())
    });
    outcome.expect("nothing panics");
    let [signature, claims, end] = counts.map(|(_, count)| count.get());
    assert!(
        signature > CASES / 4 && claims > CASES / 10 && end > CASES / 50,
        "{signature} came to the signature, {claims} behind it, {end} to the end"
    );
}
