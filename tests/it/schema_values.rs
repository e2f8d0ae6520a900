//! Values made from a schema, and a check of values against one. Written against the specification only: it shares no
//! code with the generator, so that it can catch the generator's mistakes.

use serde_json::{Map, Value, json};
use std::hash::{BuildHasher, RandomState};

/// The seed of this run: `ESIKIT_SEED`, or a new one, printed.
pub(crate) fn seed() -> u64 {
    let given = std::env::var("ESIKIT_SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    let seed = given.unwrap_or_else(|| RandomState::new().hash_one("seed"));
    println!("ESIKIT_SEED={seed}");
    seed
}

/// Choices that a seed decides.
pub(crate) struct Random(fastrand::Rng);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    fn next(&mut self) -> u64 {
        self.0.u64(..)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0.usize(..limit)
    }

    /// True once in `n` times.
    fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// How often each surprise was made.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) unknown_values: usize,
    pub(crate) unknown_fields: usize,
    pub(crate) unknown_tags: usize,
    pub(crate) absent: usize,
}

impl Seen {
    pub(crate) fn add(&mut self, other: &Self) {
        self.unknown_values += other.unknown_values;
        self.unknown_fields += other.unknown_fields;
        self.unknown_tags += other.unknown_tags;
        self.absent += other.absent;
    }
}

/// What is sent, and the part of it that the schema declares.
pub(crate) struct Made {
    pub(crate) sent: Value,
    pub(crate) declared: Value,
}

impl Made {
    fn plain(value: Value) -> Self {
        Self {
            sent: value.clone(),
            declared: value,
        }
    }
}

/// Makes values of a schema.
pub(crate) struct Maker<'a> {
    spec: &'a Value,
    random: Random,
    pub(crate) seen: Seen,
}

impl<'a> Maker<'a> {
    pub(crate) fn new(spec: &'a Value, random: Random) -> Self {
        Self {
            spec,
            random,
            seen: Seen::default(),
        }
    }

    pub(crate) fn make(&mut self, schema: &'a Value) -> Made {
        let schema = resolved(self.spec, schema);
        if schema["nullable"] == json!(true) && self.random.once_in(3) {
            return Made::plain(Value::Null);
        }
        if let Some(inner) = schema.pointer("/allOf/0") {
            return self.make(inner);
        }
        if let Some(alternatives) = schema["oneOf"].as_array() {
            return self.choice(alternatives);
        }
        match schema["type"].as_str() {
            Some("object") => self.object(schema),
            Some("array") => {
                let made: Vec<Made> = (0..self.random.below(4))
                    .map(|_| self.make(&schema["items"]))
                    .collect();
                let (sent, declared) = made.into_iter().map(|made| (made.sent, made.declared)).unzip();
                Made {
                    sent: Value::Array(sent),
                    declared: Value::Array(declared),
                }
            }
            Some("string") => Made::plain(self.text(schema)),
            Some("integer") => Made::plain(json!(self.integer())),
            Some("number") => Made::plain(self.number()),
            Some("boolean") => Made::plain(json!(self.random.once_in(2))),
            _ => Made::plain(self.anything()),
        }
    }

    fn object(&mut self, schema: &'a Value) -> Made {
        let required: Vec<&str> = schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let (mut sent, mut declared) = (Map::new(), Map::new());
        for (name, content) in schema["properties"].as_object().into_iter().flatten() {
            if !required.contains(&name.as_str()) && self.random.once_in(2) {
                self.seen.absent += 1;
                continue;
            }
            let made = self.make(content);
            if made.declared.is_null()
                && !required.contains(&name.as_str())
                && content["nullable"] == json!(true)
            {
                // Null and absence are one for an optional field.
            } else {
                declared.insert(name.clone(), made.declared);
            }
            sent.insert(name.clone(), made.sent);
        }
        if schema["additionalProperties"].is_object() {
            for key in ["first", "second key", "dritter/Schl\u{fc}ssel"]
                .iter()
                .take(self.random.below(4))
            {
                let made = self.make(&schema["additionalProperties"]);
                sent.insert((*key).to_owned(), made.sent);
                declared.insert((*key).to_owned(), made.declared);
            }
        } else if schema["properties"].is_object() && self.random.once_in(2) {
            self.seen.unknown_fields += 1;
            sent.insert(
                (*self.random.pick(&["a_new_field", "zz_new_field", "m"])).to_owned(),
                self.anything(),
            );
        }
        Made {
            sent: Value::Object(sent),
            declared: Value::Object(declared),
        }
    }

    fn choice(&mut self, alternatives: &'a [Value]) -> Made {
        if self.random.once_in(8) {
            self.seen.unknown_tags += 1;
            return Made::plain(json!({ "an_alternative_of_tomorrow": self.anything() }));
        }
        let alternative = self.random.pick(alternatives);
        let properties = alternative["properties"]
            .as_object()
            .expect("an alternative is an object");
        let (name, content) = properties.iter().next().expect("an alternative has a property");
        let made = self.make(content);
        let mut sent = Map::from_iter([(name.clone(), made.sent)]);
        if self.random.once_in(4) {
            self.seen.unknown_fields += 1;
            sent.insert(
                (*self.random.pick(&["a_new_field", "zz_new_field"])).to_owned(),
                self.anything(),
            );
        }
        Made {
            sent: Value::Object(sent),
            declared: Value::Object(Map::from_iter([(name.clone(), made.declared)])),
        }
    }

    fn text(&mut self, schema: &Value) -> Value {
        if let (Some(values), None) = (schema["enum"].as_array(), schema.get("format")) {
            if self.random.once_in(4) {
                self.seen.unknown_values += 1;
                return json!(
                    self.random
                        .pick(&["a_value_of_tomorrow", "", "Other", "\u{2603} \"quoted\""])
                );
            }
            return self.random.pick(values).clone();
        }
        match schema["format"].as_str() {
            Some("date-time") => json!(self.moment()),
            Some("date") => json!(self.moment()[..10]),
            Some("uuid") => {
                let digits = format!("{:016x}{:016x}", self.random.next(), self.random.next());
                let parts = [
                    &digits[..8],
                    &digits[8..12],
                    &digits[12..16],
                    &digits[16..20],
                    &digits[20..],
                ];
                json!(parts.join("-"))
            }
            _ => json!(self.random.pick(&[
                "",
                "plain",
                "Caldari Navy \u{1f680}",
                "line\nbreak \"and\" \\ \u{0}",
                "0"
            ])),
        }
    }

    /// RFC 3339 as ESI writes it: UTC, and a fraction only where there is one.
    fn moment(&mut self) -> String {
        let (year, month, day) = (
            2003 + self.random.below(60),
            1 + self.random.below(12),
            1 + self.random.below(28),
        );
        let (hour, minute, second) = (
            self.random.below(24),
            self.random.below(60),
            self.random.below(60),
        );
        let fraction = if self.random.once_in(4) {
            format!(".{:03}", 1 + self.random.below(999))
        } else {
            String::new()
        };
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
    }

    fn integer(&mut self) -> i64 {
        match self.random.below(5) {
            0 => *self
                .random
                .pick(&[0, 1, -1, i64::MAX, i64::MIN, 9_007_199_254_740_993]),
            1 => 30_000_142,
            _ => i64::from_ne_bytes(self.random.next().to_ne_bytes()) >> self.random.below(63),
        }
    }

    fn number(&mut self) -> Value {
        match self.random.below(4) {
            0 => self
                .random
                .pick(&[
                    json!(1),
                    json!(1.0),
                    json!(0.1),
                    json!(-0.5),
                    json!(1_801_793_343_883.841_8),
                ])
                .clone(),
            // Coordinates: where parsers without exact rounding are off in the last digit.
            1 => json!(f64::from_bits(0x42A0_0000_0000_0000 | (self.random.next() >> 12))),
            2 => json!(self.random.below(1_000_000)),
            _ => {
                let number = f64::from_bits(self.random.next());
                if number.is_finite() {
                    json!(number)
                } else {
                    json!(5.0)
                }
            }
        }
    }

    fn anything(&mut self) -> Value {
        self.random
            .pick(&[
                json!(null),
                json!(7),
                json!("text"),
                json!([1, "two", { "three": 3.5 }]),
                json!({ "x": {} }),
            ])
            .clone()
    }
}

/// Follows references.
fn resolved<'a>(spec: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => {
            let target = spec
                .pointer(reference.trim_start_matches('#'))
                .expect("a reference leads somewhere");
            resolved(spec, target)
        }
        None => schema,
    }
}

/// Whether a value is what a schema says, bounds included.
pub(crate) fn validate(spec: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let schema = resolved(spec, schema);
    if value.is_null() && schema["nullable"] == json!(true) {
        return Ok(());
    }
    if let Some(inner) = schema.pointer("/allOf/0") {
        return validate(spec, inner, value);
    }
    if let Some(alternatives) = schema["oneOf"].as_array() {
        let fitting = alternatives
            .iter()
            .filter(|alternative| validate(spec, alternative, value).is_ok())
            .count();
        return if fitting == 1 {
            Ok(())
        } else {
            Err(format!("{fitting} alternatives fit {value}"))
        };
    }
    let fits = match schema["type"].as_str() {
        Some("object") => return validate_object(spec, schema, value),
        Some("array") => return validate_array(spec, schema, value),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    };
    let listed = schema["enum"]
        .as_array()
        .is_none_or(|values| values.contains(value));
    let number = value.as_f64();
    let above = schema["minimum"]
        .as_f64()
        .zip(number)
        .is_none_or(|(limit, number)| number >= limit);
    let below = schema["maximum"]
        .as_f64()
        .zip(number)
        .is_none_or(|(limit, number)| number <= limit);
    if fits && listed && above && below {
        Ok(())
    } else {
        Err(format!("{value} is not {schema}"))
    }
}

fn validate_object(spec: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let members = value.as_object().ok_or_else(|| format!("{value} is no object"))?;
    for name in schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        if !members.contains_key(name) {
            return Err(format!("{name} is missing"));
        }
    }
    for (name, member) in members {
        match (schema["properties"].get(name), &schema["additionalProperties"]) {
            (Some(content), _) => {
                validate(spec, content, member).map_err(|problem| format!("{name}: {problem}"))?
            }
            (None, Value::Bool(false)) => return Err(format!("{name} may not be there")),
            (None, content) if content.is_object() => validate(spec, content, member)?,
            _ => {}
        }
    }
    Ok(())
}

fn validate_array(spec: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let items = value.as_array().ok_or_else(|| format!("{value} is no array"))?;
    let count = items.len() as u64;
    if schema["minItems"].as_u64().is_some_and(|least| count < least)
        || schema["maxItems"].as_u64().is_some_and(|most| count > most)
    {
        return Err(format!("{count} items are too few or too many"));
    }
    items
        .iter()
        .try_for_each(|item| validate(spec, &schema["items"], item))
}
