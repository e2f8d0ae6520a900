//! Where in a JSON text something went wrong.

/// How deep a path is told; what lies deeper is cut off.
const DEEPEST: usize = 64;

/// The path to what stands at a byte offset of a JSON text, `$[3].price`.
///
/// An offset right after a closing bracket means what was closed: a parser that misses a field reports it there.
/// The text need not be valid after the offset, nor before it: then the path is as far as it could be followed.
pub(crate) fn path_at(text: &str, offset: usize) -> String {
    let bytes = text.as_bytes();
    let end = offset.min(bytes.len());
    let mut walk = Walk {
        open: Vec::new(),
        deeper: 0,
    };
    let mut at = 0;
    while let Some(&byte) = bytes.get(at).filter(|_| at < end) {
        match byte {
            b'"' => {
                let close = string_end(bytes, at);
                // The quotes are ASCII, so both ends are character boundaries.
                walk.string(text.get(at + 1..close).unwrap_or_default(), close < end);
                at = close;
            }
            b'{' => walk.open(Step::Key(None)),
            b'[' => walk.open(Step::Index(0)),
            b'}' | b']' => walk.close(),
            b',' => walk.next(),
            _ => {}
        }
        at += 1;
    }
    walk.path()
}

/// The byte offset of a line and column as `serde_json` counts them: lines from 1, columns in bytes.
pub(crate) fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let lines_before = text.split_inclusive('\n').take(line.saturating_sub(1));
    lines_before
        .map(str::len)
        .sum::<usize>()
        .saturating_add(column)
        .min(text.len())
}

/// The text around an offset, short enough for a message.
pub(crate) fn snippet_at(text: &str, offset: usize) -> String {
    const BEFORE: usize = 60;
    const AFTER: usize = 30;
    let start = floor_boundary(text, offset.saturating_sub(BEFORE));
    let end = floor_boundary(text, offset.saturating_add(AFTER));
    let middle = text.get(start..end).unwrap_or_default();
    let mut snippet = String::with_capacity(middle.len() + 6);
    snippet.push_str(if start > 0 { "..." } else { "" });
    snippet.extend(middle.chars().map(|c| if c.is_control() { ' ' } else { c }));
    snippet.push_str(if end < text.len() { "..." } else { "" });
    snippet
}

/// The last character boundary at or before an index.
pub(crate) fn floor_boundary(text: &str, index: usize) -> usize {
    let mut index = index.min(text.len());
    while !text.is_char_boundary(index) {
        index -= 1;
    }
    index
}

/// The index of the quote that closes the string opened at `open`, or the text's end.
fn string_end(bytes: &[u8], open: usize) -> usize {
    let mut at = open + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// One step of a path: into an object by a key, into a list by an index.
enum Step<'a> {
    Key(Option<&'a str>),
    Index(usize),
}

/// The objects and lists that are open at some place of the text.
struct Walk<'a> {
    open: Vec<Step<'a>>,
    /// How many more are open below [`DEEPEST`].
    deeper: usize,
}

impl<'a> Walk<'a> {
    fn open(&mut self, step: Step<'a>) {
        if self.open.len() < DEEPEST {
            self.open.push(step);
        } else {
            self.deeper += 1;
        }
    }

    fn close(&mut self) {
        if self.deeper > 0 {
            self.deeper -= 1;
        } else {
            self.open.pop();
        }
    }

    fn next(&mut self) {
        if self.deeper > 0 {
            return;
        }
        match self.open.last_mut() {
            Some(Step::Index(index)) => *index += 1,
            Some(Step::Key(key)) => *key = None,
            None => {}
        }
    }

    /// A string: in an object that waits for a key, it is the key.
    fn string(&mut self, text: &'a str, complete: bool) {
        if self.deeper > 0 || !complete {
            return;
        }
        if let Some(Step::Key(key @ None)) = self.open.last_mut() {
            *key = Some(text);
        }
    }

    fn path(&self) -> String {
        let mut path = String::from("$");
        for step in &self.open {
            match step {
                Step::Index(index) => path.push_str(&format!("[{index}]")),
                Step::Key(Some(key)) if is_plain(key) => path.push_str(&format!(".{key}")),
                Step::Key(Some(key)) => path.push_str(&format!("[\"{key}\"]")),
                Step::Key(None) => {}
            }
        }
        path
    }
}

/// Whether a key can stand after a dot.
fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The path where serde_json stops when it reads the text as `T`.
    fn path_of<T: serde::de::DeserializeOwned + std::fmt::Debug>(text: &str) -> String {
        let error = serde_json::from_str::<T>(text).expect_err("the text is wrong");
        path_at(text, offset_of(text, error.line(), error.column()))
    }

    #[derive(Debug)]
    struct Order;

    impl<'de> serde::Deserialize<'de> for Order {
        fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            #[derive(Debug)]
            struct Fields;
            impl<'de> serde::de::Visitor<'de> for Fields {
                type Value = Order;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an order")
                }
                fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Order, A::Error> {
                    let mut price = None;
                    while let Some(key) = map.next_key::<String>()? {
                        match key.as_str() {
                            "price" => price = Some(map.next_value::<f64>()?),
                            "tags" => drop(map.next_value::<Vec<String>>()?),
                            _ => drop(map.next_value::<serde::de::IgnoredAny>()?),
                        }
                    }
                    price
                        .map(|_| Order)
                        .ok_or_else(|| serde::de::Error::missing_field("price"))
                }
            }
            from.deserialize_map(Fields)
        }
    }

    #[test]
    fn a_wrong_value_is_found_by_key_and_index() {
        assert_eq!(
            path_of::<Vec<Order>>(r#"[{"price":1},{"x":[1,{"a":2}],"price":"two"}]"#),
            "$[1].price"
        );
        assert_eq!(
            path_of::<Vec<Order>>("[\n {\"price\": 1},\n {\"price\": {}}\n]"),
            "$[1].price"
        );
        assert_eq!(
            path_of::<Vec<Order>>(r#"[{"price":1,"tags":["a","b",3]}]"#),
            "$[0].tags[2]"
        );
        assert_eq!(path_of::<Vec<Order>>(r#"[{"price":true}]"#), "$[0].price");
        assert_eq!(path_of::<Vec<Order>>(r#"{"price":true}"#), "$");
    }

    #[test]
    fn a_missing_field_is_found_in_its_object() {
        assert_eq!(path_of::<Vec<Order>>(r#"[{"price":1},{"a":{"b":1}}]"#), "$[1]");
        assert_eq!(path_of::<Order>(r#"{"a":[1,2]}"#), "$");
    }

    #[test]
    fn broken_text_is_followed_as_far_as_it_goes() {
        assert_eq!(path_of::<Vec<Order>>(r#"[{"price":1},{"pri"#), "$[1]");
        assert_eq!(path_of::<Vec<Order>>(r#"[{"price":1"#), "$[0].price");
        assert_eq!(path_of::<Vec<Order>>("[{\"price\": <html>"), "$[0].price");
        assert_eq!(path_of::<Order>(""), "$");
        assert_eq!(path_at("]]]}}}\"\\", 100), "$");
    }

    #[test]
    fn keys_that_are_no_names_are_quoted() {
        let text = r#"{"a b":{"c\"d":{"e":tru}}}"#;
        assert_eq!(path_at(text, text.len() - 3), r#"$["a b"]["c\"d"].e"#);
    }

    #[test]
    fn depth_costs_no_memory() {
        let text = "[".repeat(1_000_000);
        assert_eq!(path_at(&text, text.len()).len(), 1 + 3 * DEEPEST);
        let text = format!("{}{}{}", "[".repeat(100), "]".repeat(99), ",1");
        assert_eq!(path_at(&text, text.len()), "$[1]");
    }

    #[test]
    fn snippets_are_short_and_cut_between_characters() {
        let text = "ü".repeat(200);
        for offset in 0..=text.len() {
            assert!(snippet_at(&text, offset).len() <= 100);
        }
        assert_eq!(snippet_at("{\n\"a\": x}", 8), "{ \"a\": x}");
        assert_eq!(snippet_at("", 5), "");
    }
}
