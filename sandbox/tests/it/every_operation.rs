//! Each operation of the specification, called as it wants and as it does not.

use super::{Answer, PILOT, Scene, read};
use chrono::TimeDelta;
use serde_json::{Map, Value, json};

/// The specification as the file says, without what the sandbox makes of it.
const SPECIFICATION: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/spec/esi.json"));

struct Call<'a> {
    document: &'a Value,
    method: String,
    path: String,
    facts: &'a Value,
}

/// How often each of the ways to call an operation was tried.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    operations: usize,
    successes: usize,
    without_token: usize,
    missing_scope: usize,
    other_character: usize,
    other_corporation: usize,
    missing_role: usize,
    malformed_id: usize,
}

#[tokio::test]
async fn every_operation_answers_and_refuses() {
    let document: Value = serde_json::from_str(SPECIFICATION).unwrap();
    let scene = Scene::new().await;
    let corporation = scene.sandbox.corporation_of(PILOT);
    let mut counts = Counts::default();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, facts) in item.as_object().unwrap() {
            let call = Call {
                document: &document,
                method: method.to_ascii_uppercase(),
                path: path.clone(),
                facts,
            };
            counts.operations += 1;
            call.try_all(&scene, corporation, &mut counts).await;
        }
    }
    // These follow from the specification of 2026-08-18: another one changes them.
    let operations = SPECIFICATION.matches("\"operationId\"").count();
    let secured = SPECIFICATION.matches("\"security\": [").count();
    assert_eq!((counts.operations, counts.successes), (operations, operations));
    assert_eq!((counts.without_token, counts.missing_scope), (secured, secured));
    assert!(counts.other_character >= 70, "{counts:?}");
    assert!(counts.other_corporation >= 45, "{counts:?}");
    assert_eq!(
        counts.missing_role,
        SPECIFICATION.matches("\"x-required-roles\"").count()
    );
    assert!(counts.malformed_id >= 150, "{counts:?}");
    println!("{counts:?}");
}

impl Call<'_> {
    async fn try_all(&self, scene: &Scene, corporation: i64, counts: &mut Counts) {
        let scopes = self.scopes();
        let (pilot, corporation) = (PILOT.to_string(), corporation.to_string());
        let own = |name: &str| match name {
            "character_id" => pilot.clone(),
            "corporation_id" => corporation.clone(),
            _ => "1234".to_owned(),
        };
        // One of the roles is enough.
        scene
            .sandbox
            .set_roles(PILOT, &self.roles()[..self.roles().len().min(1)]);
        let success = self.send(scene, Some(&scopes), own).await;
        self.check_success(&success);
        counts.successes += 1;
        if self
            .parameters("path")
            .any(|parameter| self.kind(parameter) == "integer")
        {
            let answer = self.send(scene, Some(&scopes), |_| "1.5".to_owned()).await;
            assert_eq!(answer.status, 400, "{}: {}", self.id(), answer.text);
            counts.malformed_id += 1;
        }
        if scopes.is_empty() {
            return;
        }
        let without = self.send(scene, None, own).await;
        assert_eq!(without.status, 401, "{}", self.id());
        assert!(!without.error().is_empty());
        counts.without_token += 1;
        let missing = self.send(scene, Some(&["publicData".to_owned()]), own).await;
        assert_eq!(missing.status, 403, "{}", self.id());
        counts.missing_scope += 1;
        let first = self.path.split('/').find(|segment| segment.starts_with('{'));
        for (segment, count) in [
            ("{character_id}", &mut counts.other_character),
            ("{corporation_id}", &mut counts.other_corporation),
        ] {
            if first == Some(segment) {
                let answer = self.send(scene, Some(&scopes), |_| "98000001".to_owned()).await;
                assert_eq!(answer.status, 403, "{}: {}", self.id(), answer.text);
                *count += 1;
            }
        }
        if !self.roles().is_empty() {
            scene.sandbox.set_roles(PILOT, &["Nothing"]);
            let answer = self.send(scene, Some(&scopes), own).await;
            assert_eq!(answer.status, 403, "{}: {}", self.id(), answer.text);
            counts.missing_role += 1;
        }
    }

    /// Sends the call a day after the one before, so that no limit is in the way.
    async fn send(&self, scene: &Scene, scopes: Option<&[String]>, id: impl Fn(&str) -> String) -> Answer {
        scene.clock.advance(TimeDelta::days(1));
        let mut path = self.path.clone();
        for parameter in self.parameters("path") {
            let name = parameter["name"].as_str().unwrap();
            let value = match self.kind(parameter) {
                "integer" => id(name),
                _ => self.sample(&parameter["schema"]).as_str().unwrap().to_owned(),
            };
            path = path.replace(&format!("{{{name}}}"), &value);
        }
        let query: Vec<String> = self
            .parameters("query")
            .filter(|parameter| parameter["required"] == true)
            .map(|parameter| {
                let value = match self.sample(&parameter["schema"]) {
                    Value::String(text) => text,
                    Value::Array(items) => items[0]
                        .as_str()
                        .map_or_else(|| items[0].to_string(), str::to_owned),
                    other => other.to_string(),
                };
                format!("{}={value}", parameter["name"].as_str().unwrap())
            })
            .collect();
        let mut request = scene.request(&self.method, &format!("{path}?{}", query.join("&")));
        if let Some(scopes) = scopes.filter(|scopes| !scopes.is_empty()) {
            let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
            request = request.bearer_auth(scene.token(&scopes));
        }
        if let Some(schema) = self
            .facts
            .pointer("/requestBody/content/application~1json/schema")
        {
            request = request.body(self.sample(schema).to_string());
        }
        read(request).await
    }

    fn check_success(&self, answer: &Answer) {
        let (status, response) = self.facts["responses"]
            .as_object()
            .unwrap()
            .iter()
            .find(|(status, _)| status.starts_with('2'))
            .unwrap();
        assert_eq!(
            answer.status.to_string(),
            *status,
            "{}: {}",
            self.id(),
            answer.text
        );
        assert_eq!(
            response.get("content").is_some(),
            !answer.text.is_empty(),
            "{}",
            self.id()
        );
        assert_eq!(
            response.pointer("/headers/X-Pages").is_some(),
            !answer.header("x-pages").is_empty(),
            "{}",
            self.id()
        );
        let group = self
            .facts
            .pointer("/x-rate-limit/group")
            .map_or("", |group| group.as_str().unwrap());
        assert_eq!(answer.header("x-ratelimit-group"), group);
        assert_eq!(
            answer.header("x-esi-error-limit-remain").is_empty(),
            !group.is_empty()
        );
    }

    fn id(&self) -> &str {
        self.facts["operationId"].as_str().unwrap()
    }

    fn scopes(&self) -> Vec<String> {
        let scopes = self.facts.pointer("/security/0/OAuth2").and_then(Value::as_array);
        let scopes = scopes.into_iter().flatten();
        scopes.map(|scope| scope.as_str().unwrap().to_owned()).collect()
    }

    fn roles(&self) -> Vec<&str> {
        let roles = self.facts.get("x-required-roles").and_then(Value::as_array);
        let roles = roles.into_iter().flatten();
        roles.map(|role| role.as_str().unwrap()).collect()
    }

    fn parameters(&self, place: &'static str) -> impl Iterator<Item = &Value> {
        let parameters = self.facts["parameters"].as_array().unwrap().iter();
        parameters.filter(move |parameter| parameter["in"] == place)
    }

    fn kind<'b>(&'b self, parameter: &'b Value) -> &'b str {
        self.resolved(&parameter["schema"])["type"].as_str().unwrap()
    }

    fn resolved<'b>(&'b self, schema: &'b Value) -> &'b Value {
        schema["$ref"].as_str().map_or(schema, |reference| {
            let pointer = reference.strip_prefix('#').unwrap();
            self.resolved(self.document.pointer(pointer).unwrap())
        })
    }

    /// Something small that a request may say.
    fn sample(&self, schema: &Value) -> Value {
        let schema = self.resolved(schema);
        if let Some(first) = schema.get("oneOf").or(schema.get("enum")).map(|all| &all[0]) {
            return if first.is_object() {
                self.sample(first)
            } else {
                first.clone()
            };
        }
        match schema["type"].as_str().unwrap() {
            "object" => {
                let required = schema["required"].as_array().cloned().unwrap_or_default();
                let members = required.iter().map(|name| {
                    let name = name.as_str().unwrap();
                    (name.to_owned(), self.sample(&schema["properties"][name]))
                });
                Value::Object(members.collect::<Map<_, _>>())
            }
            "array" => json!([self.sample(&schema["items"])]),
            "boolean" => json!(true),
            "string" if schema["format"] == "uuid" => json!("0190a1b2-c3d4-4e5f-8a9b-0c1d2e3f4a5b"),
            "string" if schema["format"] == "date-time" => json!("2026-01-01T00:00:00Z"),
            "string" => json!("abcdefgh"),
            _ => schema.get("minimum").cloned().unwrap_or(json!(1)),
        }
    }
}
