//! What must agree between answers: a character's corporation and name, and the ids of the path.

use super::{Question, ids};
use crate::draw::Draw;
use serde_json::{Map, Value, json};

/// What a seed says about characters and corporations, wherever one is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct World {
    pub(crate) seed: u64,
}

impl World {
    /// The corporation of a character.
    pub(crate) fn corporation_of(self, character: i64) -> i64 {
        let range = ids::of_kind("CorporationId");
        range.nth(self.about(character).under("corporation").below(range.size()))
    }

    /// The name of a character, a corporation, a type: of whatever has this id.
    pub(crate) fn name_of(self, id: i64) -> String {
        words(self.about(id).under("name"))
    }

    fn about(self, id: i64) -> Draw {
        Draw::of(self.seed).under("world").under(&id.to_string())
    }

    /// Makes a record agree with the question and with other answers.
    pub(super) fn make_belong(self, record: &mut Value, question: &Question<'_>) {
        let Value::Object(members) = record else { return };
        let path_id = |name: &str| question.path_values.get(name)?.parse::<i64>().ok();
        // What the path names, the record is.
        for name in question.path_values.keys() {
            if let (Some(member), Some(id)) = (members.get_mut(name), path_id(name))
                && member.is_i64()
            {
                *member = json!(id);
            }
        }
        // What is left is not more than there was.
        if let (Some(remain), Some(total)) = (whole(members, "volume_remain"), whole(members, "volume_total"))
            && remain > total
        {
            members.insert("volume_remain".to_owned(), json!(total));
        }
        if let Some(buys) = question.buys {
            for name in ["is_buy_order", "is_buy"] {
                if let Some(member) = members.get_mut(name) {
                    *member = json!(buys);
                }
            }
        }
        let own = whole(members, "character_id");
        let is_character = question.operation.path == "/characters/{character_id}";
        let character = own.or_else(|| path_id("character_id").filter(|_| is_character));
        if let (Some(character), Some(corporation)) = (character, members.get_mut("corporation_id")) {
            *corporation = json!(self.corporation_of(character));
        }
        // The one thing that the path ends in, or the record's own id.
        let last = question.operation.path.rsplit('/').next().unwrap_or_default();
        let named = last.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let thing = named
            .and_then(path_id)
            .or_else(|| members.get("id").and_then(Value::as_i64));
        if let (Some(thing), Some(name)) = (thing, members.get_mut("name").filter(|name| name.is_string())) {
            *name = json!(self.name_of(thing));
        }
    }
}

fn whole(members: &Map<String, Value>, name: &str) -> Option<i64> {
    members.get(name)?.as_i64()
}

const SYLLABLES: [&str; 24] = [
    "ka", "ri", "mo", "ta", "ven", "dra", "sol", "ix", "ama", "len", "oro", "shi", "tal", "ver", "na", "gor",
    "ell", "ur", "bas", "cy", "dom", "fel", "hal", "jin",
];

/// Two words that could be a name.
pub(super) fn words(draw: Draw) -> String {
    let word = |draw: Draw| {
        let syllables = 2 + draw.below(2) as usize;
        let text: String = (0..syllables)
            .filter_map(|index| draw.at(index).one_of(&SYLLABLES).copied())
            .collect();
        let mut letters = text.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    format!("{} {}", word(draw.under("first")), word(draw.under("second")))
}
