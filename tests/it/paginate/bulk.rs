//! Lists that are longer than one request may carry.

use std::collections::BTreeSet;

use esikit::Error;
use serde_json::{Value, json};

use super::server::{Given, Server};
use crate::server::Seen;

fn entries(seen: &Seen) -> Vec<Value> {
    serde_json::from_slice(&seen.body).expect("a list")
}

/// Names all ids but those, in an order of its own.
async fn naming(unknown: &[i64]) -> Server {
    let unknown: BTreeSet<i64> = unknown.iter().copied().collect();
    Server::new(move |seen| {
        let ids = entries(seen);
        let is_unknown = |id: &Value| id.as_i64().is_some_and(|id| unknown.contains(&id));
        if ids.iter().any(is_unknown) {
            return Given::refusal(404, "Ensure all IDs are valid before resolving.");
        }
        let names = ids
            .iter()
            .rev()
            .map(|id| json!({ "id": id, "name": "x", "category": "character" }));
        Given::json(Value::from_iter(names).to_string())
    })
    .await
}

#[tokio::test]
async fn names_are_asked_for_in_parts_and_joined_in_order() {
    let server = naming(&[]).await;
    let mut ids: Vec<i64> = (0..2500).map(|place| place * 7919 % 2503).collect();
    ids.extend_from_within(..300);
    let names = server.esi().post_universe_names(&ids).all().await.expect("names");
    assert_eq!(names.iter().map(|name| name.id).collect::<Vec<_>>(), ids[..2500]);
    let mut sizes: Vec<usize> = server
        .bodies()
        .iter()
        .map(|body| body.as_array().map_or(0, Vec::len))
        .collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [500, 1000, 1000]);
    let none: [i64; 0] = [];
    assert!(
        server
            .esi()
            .post_universe_names(&none)
            .all()
            .await
            .expect("nothing")
            .is_empty()
    );
    assert_eq!(server.seen().len(), 3, "nothing was asked for nothing");
}

#[tokio::test]
async fn objects_of_lists_are_joined_by_category() {
    let server = Server::new(|seen| {
        let found: Vec<_> = entries(seen)
            .iter()
            .filter_map(Value::as_str)
            .filter_map(|name| Some((name, name.parse::<i64>().ok()?)))
            .map(|(name, id)| json!({ "id": id, "name": name }))
            .collect();
        let category = if entries(seen).len() == 500 {
            "characters"
        } else {
            "systems"
        };
        Given::json(json!({ "agents": found[..1], category: found }).to_string())
    })
    .await;
    let names: Vec<String> = (0..1100).map(|id| id.to_string()).collect();
    let ids = server.esi().post_universe_ids(&names).all().await.expect("ids");
    assert_eq!(ids.agents.as_ref().map(Vec::len), Some(3));
    assert_eq!(ids.characters.as_ref().map(Vec::len), Some(1000));
    assert_eq!(ids.systems.as_ref().map(Vec::len), Some(100));
    assert!(ids.regions.is_none());
    let first = ids.characters.expect("characters").remove(0);
    assert_eq!((first.id, first.name.as_deref()), (Some(0), Some("0")));
}

#[tokio::test]
async fn numbers_are_summed_and_item_ids_keep_their_order() {
    let server = Server::new(|seen| Given::json(format!("{}.5", entries(seen).len()))).await;
    let esi = server.esi();
    let ids: Vec<esikit::ids::CharacterId> = (1..=250).map(Into::into).collect();
    let charge = esi
        .post_characters_character_id_cspa(9, &ids)
        .header("Authorization", "Bearer token");
    assert_eq!(charge.all().await.expect("a sum"), 251.5);
    let server = Server::new(|seen| {
        let names = entries(seen)
            .into_iter()
            .rev()
            .map(|id| json!({ "item_id": id, "name": "x" }));
        Given::json(Value::from_iter(names).to_string())
    })
    .await;
    let ids: Vec<esikit::ids::ItemId> = (1..=1001).rev().map(Into::into).collect();
    let request = server
        .esi()
        .post_corporations_corporation_id_assets_names(9, &ids);
    let names = request
        .header("Authorization", "Bearer token")
        .all()
        .await
        .expect("names");
    assert!(names.iter().map(|name| name.item_id).eq(ids));
}

#[tokio::test]
async fn one_part_that_fails_fails_all() {
    let server = naming(&[1500]).await;
    let ids: Vec<i64> = (1..=2000).collect();
    let failure = server
        .esi()
        .post_universe_names(&ids)
        .all()
        .await
        .expect_err("1500 is unknown");
    assert_eq!(failure.status(), Some(404));
}

#[tokio::test]
async fn too_long_a_list_names_the_way_out_where_there_is_one() {
    let server = naming(&[]).await;
    let esi = server.esi();
    let refusal = esi
        .post_universe_names(&[7; 1001])
        .send()
        .await
        .expect_err("1001 ids");
    let text = refusal.to_string();
    assert!(
        text.contains("1001 entries, more than 1000: `all()` of the typed call"),
        "{text}"
    );
    let writes = esi
        .post_characters_character_id_contacts(9, 5.0, &[7; 101])
        .send()
        .await;
    let text = writes.expect_err("101 contacts").to_string();
    assert!(
        text.contains("101 entries, more than 100; nothing was sent"),
        "{text}"
    );
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn unknown_ids_are_found_and_the_rest_is_named() {
    let server = naming(&[3, 777, 1400]).await;
    let ids: Vec<i64> = (0..1500).rev().collect();
    let esi = server.esi();
    let resolved = esi.post_universe_names(&ids).resolve().await.expect("an outcome");
    assert_eq!(
        (resolved.found.len(), resolved.unknown, resolved.undecided),
        (1497, vec![1400, 777, 3], vec![])
    );
    assert!(
        resolved
            .found
            .iter()
            .map(|name| name.id)
            .is_sorted_by(|one, next| one > next)
    );
    let before = server.seen().len();
    let resolved = esi
        .post_universe_names(&ids)
        .resolve_within(2)
        .await
        .expect("an outcome");
    assert!(!resolved.undecided.is_empty());
    let all = resolved.found.len() + resolved.unknown.len() + resolved.undecided.len();
    assert_eq!(all, 1500);
    assert!(server.seen().len() - before < 10);
}

#[tokio::test]
async fn other_failures_of_the_search_are_themselves() {
    let server = Server::new(|_| Given::refusal(400, "not ids")).await;
    let failure = server
        .esi()
        .post_universe_names(&[1, 2])
        .resolve()
        .await
        .expect_err("a refusal of another kind");
    assert!(
        matches!(&failure, Error::Api(error) if error.status == 400),
        "{failure}"
    );
    assert_eq!(server.seen().len(), 1);
}
