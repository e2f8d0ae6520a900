//! One character never reads another's kept data: every secured operation, not a sample.

use std::collections::HashMap;

use chrono::TimeDelta;
use esikit::operation::{Bound, Operation, Rule};
use esikit::{Error, Esi, OPERATIONS, Response, Scope, Source};
use serde_json::{Value, json};

use super::{clock, http_date, server_time};
use crate::security::sso::{Sso, callback};
use crate::server::{Reply, Seen, Server, answer};

/// Answers every request with the token that came with it, fresh for an hour.
async fn mirror() -> Server {
    Server::scripted(|seen: &Seen| {
        let token = seen.header("authorization").unwrap_or_default();
        let now = server_time();
        let headers = [
            ("Date", &*http_date(now)),
            ("Expires", &*http_date(now + TimeDelta::hours(1))),
            ("ETag", "\"same for everybody\""),
        ];
        Reply::Close(answer(
            200,
            &headers,
            json!({ "token": token }).to_string().as_bytes(),
        ))
    })
    .await
}

/// Logs a character in, with every scope there is.
async fn log_in(sso: &Sso, security: &esikit::EsiSecurity, character: i64) -> esikit::EsiSecurity {
    let scopes: Vec<&str> = Scope::ALL.iter().map(Scope::as_str).collect();
    let login = security.authorize(Scope::ALL);
    let url = callback(&sso.code_for(character, &scopes), login.state());
    let who = security.auth_callback(&login, &url).await.expect("a login");
    who.security()
}

/// Calls an operation with some value for everything it requires.
async fn call(esi: &Esi, operation: &Operation) -> Result<Response<Value>, Error> {
    let bodies: &[Value] = match operation.body {
        Some(_) => &[json!([1]), json!({}), json!(["one"])],
        None => &[Value::Null],
    };
    let mut last = None;
    for body in bodies {
        let mut request = esi.call(operation.id).expect("it is known");
        for parameter in operation.parameters.iter().filter(|parameter| parameter.required) {
            let is_text =
                |bound: &&Bound| bound.at == parameter.name && matches!(bound.rule, Rule::MinLength(_));
            let value = if operation.bounds.iter().any(|bound| is_text(&bound)) {
                "one"
            } else {
                "1"
            };
            request = request.param(parameter.name, value);
        }
        if operation.body.is_some() {
            request = request.body(body);
        }
        match request.send().await {
            Err(Error::Request(error)) => last = Some(Error::Request(error)),
            outcome => return outcome,
        }
    }
    Err(last.expect("there was a body"))
}

#[tokio::test]
async fn no_character_reads_what_is_another_s() {
    let (sso, server) = (Sso::new().await, mirror().await);
    let security = sso
        .with_pkce()
        .esi_url(&server.url)
        .build()
        .await
        .expect("a single sign-on");
    let mut characters = Vec::new();
    for character in 1..=3 {
        characters.push(log_in(&sso, &security, character).await);
    }
    let client = server
        .builder()
        .clock(clock())
        .security(security)
        .build()
        .expect("a client");
    let clients: Vec<Esi> = characters
        .into_iter()
        .map(|login| client.with_security(login))
        .collect();
    let secured = OPERATIONS
        .iter()
        .filter(|operation| !operation.security.is_empty());
    let (mut reads, mut writes) = (0, 0);
    for operation in secured {
        let mut tokens: HashMap<String, usize> = HashMap::new();
        let is_read = operation.method == esikit::operation::Method::Get;
        for round in 0..2 {
            for (index, esi) in clients.iter().enumerate() {
                let answer = call(esi, operation)
                    .await
                    .unwrap_or_else(|error| panic!("{error}"));
                let expected = if is_read && round == 1 {
                    Source::Cache
                } else {
                    Source::Network
                };
                // ESI may say that an operation's answers are not to be kept.
                if operation.cache_mode != Some(esikit::operation::CacheMode::NotCached) {
                    assert_eq!(answer.source(), expected, "{operation:?}");
                }
                let token = answer["token"].as_str().expect("a token").to_owned();
                assert_eq!(*tokens.entry(token).or_insert(index), index, "{operation:?}");
            }
        }
        assert_eq!(tokens.len(), clients.len(), "{operation:?}");
        *(if is_read { &mut reads } else { &mut writes }) += 1;
    }
    println!(
        "{reads} reads and {writes} writes, by {} characters",
        clients.len()
    );
    assert_eq!(reads + writes, 145);
}
