//! Answers: values that satisfy a schema, drawn from a seed.

mod ids;
mod world;

pub(crate) use world::World;

use crate::contract::{Contract, Operation, PathValues, members, texts};
use crate::draw::Draw;
use serde_json::{Map, Number, Value, json};

/// Makes the answers of one sandbox.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Maker<'a> {
    pub(crate) contract: &'a Contract,
    pub(crate) world: World,
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) operation: &'a Operation,
    pub(crate) path: &'a str,
    pub(crate) path_values: &'a PathValues,
    /// Names and values of the query, sorted, without `page`.
    pub(crate) query: &'a str,
    /// Ids of the body, where the body is a list of them.
    pub(crate) ids: &'a [i64],
    /// Whether only orders to buy, or only orders to sell, are asked for.
    pub(crate) buys: Option<bool>,
    /// The records of a list: from this one, so many.
    pub(crate) records: Records,
}

/// Which records of a list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Records {
    pub(crate) from: usize,
    pub(crate) count: usize,
}

/// Where a value stands.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    /// The schema that the value is a property of.
    owner: &'a str,
    /// The property, or `response`.
    name: &'a str,
}

impl Maker<'_> {
    /// The answer to a question; the same question always has the same answer.
    pub(crate) fn answer(&self, question: &Question<'_>) -> Value {
        let operation = question.operation;
        let Some(schema) = &operation.answer else {
            return Value::Null;
        };
        let draw = Draw::of(self.world.seed)
            .under(&operation.id)
            .under(question.path)
            .under(question.query);
        let place = Place {
            owner: &operation.id,
            name: "response",
        };
        let (plain, name) = self.contract.schemas.resolved(schema);
        let Some(items) = plain.get("items") else {
            let mut value = self.value(schema, place, draw);
            self.world.make_belong(&mut value, question);
            return value;
        };
        let place = Place {
            owner: name.unwrap_or(place.owner),
            ..place
        };
        let mut records = match self.contract.record_ids.get(&operation.id) {
            Some(id) if !question.ids.is_empty() => self.named(items, id, question.ids, place, draw),
            _ => self.list(plain, items, question.records, place, draw),
        };
        for record in &mut records {
            self.world.make_belong(record, question);
        }
        Value::Array(records)
    }

    /// One record for each id of the body.
    fn named(&self, items: &Value, id: &str, ids: &[i64], place: Place<'_>, draw: Draw) -> Vec<Value> {
        let records = ids.iter().map(|number| {
            let mut record = self.value(items, place, draw.under(&number.to_string()));
            if let Some(place) = record.get_mut(id) {
                *place = json!(number);
            }
            record
        });
        records.collect()
    }

    /// Items `from` and following of a list that has no end.
    fn list(
        &self,
        list: &Value,
        items: &Value,
        records: Records,
        place: Place<'_>,
        draw: Draw,
    ) -> Vec<Value> {
        let bound = |key: &str, otherwise: usize| {
            let count = list.get(key).and_then(Value::as_u64);
            count
                .and_then(|count| usize::try_from(count).ok())
                .unwrap_or(otherwise)
        };
        let count = records
            .count
            .clamp(bound("minItems", 0), bound("maxItems", usize::MAX));
        let indexes = records.from..records.from + count;
        let (plain, referred) = self.contract.schemas.resolved(items);
        match plain.get("type").and_then(Value::as_str) {
            // Numbers in a row: a list of ids names each once.
            Some("integer") if plain.get("enum").is_none() => {
                let range = self.range(plain, place, referred);
                let count = range.size();
                let first = draw.below(count);
                let numbers = indexes.take(usize::try_from(count).unwrap_or(usize::MAX));
                numbers
                    .map(|index| json!(range.nth((first + index as u64) % count)))
                    .collect()
            }
            _ => {
                let made = indexes.map(|index| self.value(items, place, draw.at(index)));
                if list.get("uniqueItems") == Some(&Value::Bool(true)) {
                    made.fold(Vec::new(), |mut all, item| {
                        if !all.contains(&item) {
                            all.push(item);
                        }
                        all
                    })
                } else {
                    made.collect()
                }
            }
        }
    }

    fn value(&self, schema: &Value, place: Place<'_>, draw: Draw) -> Value {
        let (plain, referred) = self.contract.schemas.resolved(schema);
        if let Some(branches) = plain.get("oneOf").and_then(Value::as_array) {
            let branch = draw.under("oneOf").one_of(branches);
            return branch.map_or(Value::Null, |branch| self.value(branch, place, draw));
        }
        if let Some(values) = plain.get("enum").and_then(Value::as_array) {
            return draw.one_of(values).cloned().unwrap_or_default();
        }
        match plain.get("type").and_then(Value::as_str) {
            Some("object") => self.object(plain, referred.unwrap_or(place.owner), draw),
            Some("array") => {
                let records = Records {
                    from: 0,
                    count: 1 + draw.under("count").below(4) as usize,
                };
                let items = plain.get("items").unwrap_or(&Value::Null);
                Value::Array(self.list(plain, items, records, place, draw))
            }
            Some("boolean") => json!(draw.below(2) == 1),
            Some("integer") => {
                let range = self.range(plain, place, referred);
                json!(range.nth(draw.below(range.size())))
            }
            Some("number") => number(plain, place.name, draw),
            Some("string") => text(plain, place.name, draw),
            _ => json!({}),
        }
    }

    fn object(&self, schema: &Value, owner: &str, draw: Draw) -> Value {
        let required = texts(schema.get("required"));
        let mut object = Map::new();
        for (name, property) in members(schema.get("properties")) {
            let below = draw.under(name);
            // Three of four of what may be left out are there, so that clients meet both.
            if required.contains(name) || below.under("present").below(4) > 0 {
                object.insert(name.clone(), self.value(property, Place { owner, name }, below));
            }
        }
        if let Some(additional) = schema
            .get("additionalProperties")
            .filter(|additional| additional.is_object())
        {
            for name in ["first", "second"] {
                object.insert(
                    name.to_owned(),
                    self.value(additional, Place { owner, name }, draw.under(name)),
                );
            }
        }
        Value::Object(object)
    }

    /// The integers that fit: those of what is identified, else plausible amounts, within the schema's bounds.
    fn range(&self, schema: &Value, place: Place<'_>, referred: Option<&str>) -> ids::Range {
        let kind = self.contract.schemas.id_kind(place.owner, place.name, referred);
        let bound = |key: &str, exclusive: &str, step: i64| {
            let number = schema.get(key)?.as_i64()?;
            let moved = schema.get(exclusive) == Some(&Value::Bool(true));
            Some(if moved {
                number.saturating_add(step)
            } else {
                number
            })
        };
        let range = kind
            .map_or_else(|| ids::amounts(place.name), ids::of_kind)
            .within(
                bound("minimum", "exclusiveMinimum", 1),
                bound("maximum", "exclusiveMaximum", -1),
            );
        match schema.get("format").and_then(Value::as_str) {
            Some("int32") => range.within(None, Some(i64::from(i32::MAX))),
            _ => range,
        }
    }
}

/// A number of two decimals that fits the name: coordinates are large, shares lie between 0 and 1.
fn number(schema: &Value, name: &str, draw: Draw) -> Value {
    let (least, most) = match name {
        "x" | "y" | "z" => (-1e13, 1e13),
        "standing" | "standing_level" => (-10.0, 10.0),
        "security_status" => (-1.0, 1.0),
        "probability" | "influence" | "cost_index" | "latitude" | "longitude" => (0.0, 1.0),
        _ if name.contains("tax") => (0.0, 1.0),
        _ if name.contains("isk") || name.contains("balance") => (0.0, 1e12),
        _ => (0.0, 1e6),
    };
    let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
    let least = bound("minimum").unwrap_or(least);
    let most = bound("maximum").unwrap_or(most).max(least);
    // Never the bounds themselves: either may be exclusive.
    let share = (draw.below(9998) + 1) as f64 / 10_000.0;
    let exact = least + (most - least) * share;
    let rounded = (exact * 100.0).round() / 100.0;
    let number = if rounded > least && rounded < most {
        rounded
    } else {
        exact
    };
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

/// A text of the schema's format and length.
fn text(schema: &Value, name: &str, draw: Draw) -> Value {
    let text = match schema.get("format").and_then(Value::as_str) {
        Some("date-time") => moment(draw).format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        Some("date") => moment(draw).format("%Y-%m-%d").to_string(),
        Some("uuid") => uuid(draw),
        _ if name.ends_with("hash") || name == "owner" => {
            format!("{:016x}{:016x}", draw.bits(), draw.at(0).bits())
        }
        _ if name == "id" => uuid(draw),
        _ => world::words(draw),
    };
    let bound = |key: &str| {
        schema
            .get(key)
            .and_then(Value::as_u64)
            .map(|count| count as usize)
    };
    let padded = format!("{text:x<width$}", width = bound("minLength").unwrap_or(0));
    json!(
        padded
            .chars()
            .take(bound("maxLength").unwrap_or(usize::MAX))
            .collect::<String>()
    )
}

/// In 2025: past for every clock that asks, and the same for each.
fn moment(draw: Draw) -> chrono::DateTime<chrono::Utc> {
    const START_OF_2025: i64 = 1_735_689_600;
    let seconds = draw.below(365 * 86_400) as i64;
    chrono::DateTime::from_timestamp(START_OF_2025 + seconds, 0).unwrap_or_default()
}

/// A random UUID: version 4, variant 1.
fn uuid(draw: Draw) -> String {
    let (high, low) = (draw.bits(), draw.at(0).bits());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | (low >> 50),
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests;
