//! The authorize page: what an application asks for, and what the player says.

use super::{Code, Login, Sso, pairs};
use crate::error::Error;
use crate::http::{Answer, Incoming};
use chrono::TimeDelta;
use std::collections::{BTreeSet, HashMap};
use url::Url;

/// How long a code can be exchanged.
const CODE_LIFE: TimeDelta = TimeDelta::minutes(5);

/// Characters that the page offers.
pub(super) const CHARACTERS: [i64; 3] = [2_112_625_428, 2_113_000_001, 2_114_000_001];

/// A scope that applications may ask for and no operation needs.
const PUBLIC_DATA: &str = "publicData";

/// A valid request for a login.
struct Asked {
    client_id: String,
    redirect_uri: String,
    state: Option<String>,
    scopes: BTreeSet<String>,
    challenge: Option<String>,
}

/// Why there will be no login.
enum Refused {
    /// Nobody can be told: the address to lead back to is not to be trusted.
    Here(String),
    /// The application is told, with RFC 6749's code.
    There(String),
}

impl Sso {
    /// The page; once a character is chosen on it, the way back to the application.
    pub(super) fn authorize_page(&self, incoming: &Incoming) -> Answer {
        let query = pairs(incoming.query.as_bytes());
        let asked = match self.asked(&query) {
            Ok(asked) => asked,
            Err(Refused::Here(reason)) => {
                return Answer::html(400, page("This login cannot work", &escaped(&reason)));
            }
            Err(Refused::There(location)) => return Answer::empty(302).with("location", location),
        };
        if query.contains_key("deny") {
            let location = back(
                &asked.redirect_uri,
                asked.state.as_deref(),
                &[("error", "access_denied")],
            );
            return Answer::empty(302).with("location", location);
        }
        match query
            .get("character")
            .and_then(|character| character.parse().ok())
        {
            Some(character) => Answer::empty(302).with("location", self.approved(asked, character)),
            None => Answer::html(200, self.choice(&asked, &incoming.query)),
        }
    }

    /// What the player's browser is led to after allowing a login, without a browser.
    pub(crate) fn approve(&self, address: &str, character: i64) -> Result<String, Error> {
        let url = Url::parse(address).map_err(|error| Error::Authorization(error.to_string()))?;
        if !address.starts_with(&format!("{}/v2/oauth/authorize?", self.url)) {
            return Err(Error::Authorization(format!(
                "it does not lead to {}/v2/oauth/authorize",
                self.url
            )));
        }
        match self.asked(&pairs(url.query().unwrap_or_default().as_bytes())) {
            Ok(asked) => Ok(self.approved(asked, character)),
            Err(Refused::Here(reason) | Refused::There(reason)) => Err(Error::Authorization(reason)),
        }
    }

    fn asked(&self, query: &HashMap<String, String>) -> Result<Asked, Refused> {
        let text = |name: &str| {
            query
                .get(name)
                .map(String::as_str)
                .filter(|text| !text.is_empty())
        };
        let here = |reason: &str| Refused::Here(reason.to_owned());
        let client_id = text("client_id").ok_or_else(|| here("client_id is missing"))?;
        let application = self
            .application(client_id)
            .ok_or_else(|| Refused::Here(format!("no application has the client id `{client_id}`")))?;
        let redirect_uri = text("redirect_uri").ok_or_else(|| here("redirect_uri is missing"))?;
        if !application
            .redirect_uris
            .iter()
            .any(|known| known == redirect_uri)
        {
            let message = format!("the application does not have the redirect_uri `{redirect_uri}`");
            return Err(Refused::Here(message));
        }
        let state = text("state");
        let there = |code: &str, description: &str| {
            let answer = [("error", code), ("error_description", description)];
            Refused::There(back(redirect_uri, state, &answer))
        };
        if text("response_type") != Some("code") {
            return Err(there("unsupported_response_type", "response_type must be code"));
        }
        let scopes: BTreeSet<String> = text("scope")
            .unwrap_or_default()
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        let is_known = |scope: &&String| self.scopes.contains(*scope) || *scope == PUBLIC_DATA;
        if let Some(unknown) = scopes.iter().find(|scope| !is_known(scope)) {
            return Err(there("invalid_scope", &format!("there is no scope `{unknown}`")));
        }
        let challenge = text("code_challenge");
        if challenge.is_some() && text("code_challenge_method") != Some("S256") {
            return Err(there("invalid_request", "code_challenge_method must be S256"));
        }
        Ok(Asked {
            client_id: client_id.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            state: state.map(str::to_owned),
            scopes,
            challenge: challenge.map(str::to_owned),
        })
    }

    /// The way back, with a code.
    fn approved(&self, asked: Asked, character: i64) -> String {
        let mut state = self.state();
        let code = state.fresh("code", &self.world);
        let location = back(&asked.redirect_uri, asked.state.as_deref(), &[("code", &code)]);
        let login = Login {
            client_id: asked.client_id,
            character,
            scopes: asked.scopes,
            is_public: false,
        };
        let expires = self.clock.now() + CODE_LIFE;
        let challenge = asked.challenge;
        state.codes.insert(
            code,
            Code {
                login,
                challenge,
                expires,
            },
        );
        location
    }

    fn choice(&self, asked: &Asked, query: &str) -> String {
        let query = escaped(query);
        let scopes: String = asked
            .scopes
            .iter()
            .map(|scope| format!("<li>{}</li>", escaped(scope)))
            .collect();
        let characters: String = CHARACTERS
            .iter()
            .map(|id| {
                let name = escaped(&self.world.name_of(*id));
                format!("<li><a id=\"character-{id}\" href=\"?{query}&amp;character={id}\">Allow as {name}</a></li>")
            })
            .collect();
        let body = format!(
            "<p>The application <b>{}</b> asks for:</p><ul>{scopes}</ul><ul>{characters}</ul>\
             <p><a id=\"deny\" href=\"?{query}&amp;deny=1\">Deny</a></p>",
            escaped(&asked.client_id)
        );
        page("Log in to the sandbox", &body)
    }
}

/// The address that leads back to the application. It was compared with a registered one, so it is taken as it is.
fn back(redirect_uri: &str, state: Option<&str>, answer: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(answer);
    if let Some(state) = state {
        query.append_pair("state", state);
    }
    let joint = if redirect_uri.contains('?') { '&' } else { '?' };
    format!("{redirect_uri}{joint}{}", query.finish())
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title><h1>{title}</h1>{body}</html>"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
