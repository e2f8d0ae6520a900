//! What makes two requests the same.

use std::sync::Arc;

/// Method, URL with its query in the order of the operation's parameters, the client's tenant, language and
/// compatibility date, and whose data it is: one character never reads another's.
///
/// Headers that somebody adds are not in it: those that ESI's answers depend on cannot be added, and a key goes to stores,
/// where a secret has no business.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key(Arc<str>);

impl Key {
    /// `variant` is what the client sends with every request.
    pub(crate) fn new(principal: &str, variant: &str, method: &str, url: &str) -> Self {
        let mut text = String::with_capacity(principal.len() + variant.len() + method.len() + url.len() + 4);
        // None of these parts can hold a line break, so no two different requests spell the same.
        for part in [method, principal, variant, url] {
            text.push_str(part);
            text.push('\n');
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
        let keys = [
            Key::new("", "en", "GET", "http://esi/a?b=1"),
            Key::new("app:1", "en", "GET", "http://esi/a?b=1"),
            Key::new("app:2", "en", "GET", "http://esi/a?b=1"),
            Key::new("", "de", "GET", "http://esi/a?b=1"),
            Key::new("", "en", "GET", "http://esi/a?b=2"),
        ];
        for (index, key) in keys.iter().enumerate() {
            for other in &keys[index + 1..] {
                assert!(key != other, "{} = {}", key.as_str(), other.as_str());
            }
        }
        assert!(keys[0] == Key::new("", "en", "GET", "http://esi/a?b=1"));
    }
}
