//! What makes two requests the same.

use std::fmt::Write;
use std::sync::Arc;

use http::HeaderMap;

/// Method, URL with its query in the order of the operation's parameters, the client's tenant, language and
/// compatibility date, headers of this one call, and whose data it is: one character never reads another's.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key(Arc<str>);

impl Key {
    /// `variant` is what the client sends with every request; `headers` are those of this call.
    pub(crate) fn new(principal: &str, variant: &str, headers: &HeaderMap, method: &str, url: &str) -> Self {
        let mut text = String::with_capacity(principal.len() + variant.len() + method.len() + url.len() + 4);
        // None of these parts can hold a line break, so no two different requests spell the same.
        for part in [method, principal, variant, url] {
            text.push_str(part);
            text.push('\n');
        }
        let mut own: Vec<_> = headers.iter().collect();
        own.sort_by(|a, b| (a.0.as_str(), a.1.as_bytes()).cmp(&(b.0.as_str(), b.1.as_bytes())));
        for (name, value) in own {
            let _ = writeln!(text, "{name}: {:?}", value.as_bytes());
        }
        Self(text.into())
    }

    /// The key as a store has it.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_tells_requests_apart() {
        let plain = HeaderMap::new();
        let mut extra = HeaderMap::new();
        extra.insert("x-extra", "1".parse().expect("a value"));
        let keys = [
            Key::new("", "en", &plain, "GET", "http://esi/a?b=1"),
            Key::new("app:1", "en", &plain, "GET", "http://esi/a?b=1"),
            Key::new("app:2", "en", &plain, "GET", "http://esi/a?b=1"),
            Key::new("", "de", &plain, "GET", "http://esi/a?b=1"),
            Key::new("", "en", &extra, "GET", "http://esi/a?b=1"),
            Key::new("", "en", &plain, "GET", "http://esi/a?b=2"),
        ];
        for (index, key) in keys.iter().enumerate() {
            for other in &keys[index + 1..] {
                assert!(key != other, "{} = {}", key.as_str(), other.as_str());
            }
        }
        assert!(keys[0] == Key::new("", "en", &plain, "GET", "http://esi/a?b=1"));
    }
}
