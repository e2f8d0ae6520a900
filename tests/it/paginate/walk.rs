//! Operations that go on from an id.

use super::server::{Given, Server, query};

const TOKEN: (&str, &str) = ("Authorization", "Bearer token");

/// Numbers from `from` downwards, or with and without the one asked from.
fn below(from: i64, size: usize, inclusive: bool) -> Vec<i64> {
    let first = if inclusive { from } else { from - 1 };
    (1..=first).rev().take(size).collect()
}

#[tokio::test]
async fn transactions_are_walked_backwards_whether_or_not_one_repeats() {
    for inclusive in [true, false] {
        let server = Server::new(move |seen| {
            let from = query(seen).get("from_id").map(|id| id.parse().expect("an id"));
            let ids = match from {
                Some(from) => below(from, 10, inclusive),
                None => below(33, 10, true),
            };
            let transactions: Vec<_> = ids
                .into_iter()
                .map(|id| {
                    serde_json::json!({
                        "client_id": 1, "date": "2026-11-24T11:00:00Z", "is_buy": true, "is_personal": true,
                        "journal_ref_id": 1, "location_id": 1, "quantity": 1, "transaction_id": id, "type_id": 34,
                        "unit_price": 1.0,
                    })
                })
                .collect();
            Given::json(serde_json::to_string(&transactions).expect("JSON"))
        })
        .await;
        let esi = server.esi();
        let request = esi
            .get_characters_character_id_wallet_transactions(9)
            .header(TOKEN.0, TOKEN.1);
        let all = request.clone().all().await.expect("all");
        let ids: Vec<i64> = all.iter().map(|one| one.transaction_id.0).collect();
        assert_eq!(ids, (1..=33).rev().collect::<Vec<_>>());
        let before = server.seen().len();
        let some = request.from_id(6).all().await.expect("all from there");
        assert_eq!(some.len(), if inclusive { 6 } else { 5 });
        assert_eq!(
            server.seen()[before],
            "/characters/9/wallet/transactions?from_id=6"
        );
    }
}

#[tokio::test]
async fn mails_are_walked_backwards_and_keep_their_filter() {
    let server = Server::new(|seen| {
        let query = query(seen);
        assert_eq!(query.get("labels").map(String::as_str), Some("1,3"));
        let from = query
            .get("last_mail_id")
            .map_or(121, |id| id.parse().expect("an id"));
        let mails: Vec<_> = below(from, 50, false)
            .into_iter()
            .map(|id| serde_json::json!({ "mail_id": id, "subject": "" }))
            .collect();
        Given::json(serde_json::to_string(&mails).expect("JSON"))
    })
    .await;
    let request = server.esi().get_characters_character_id_mail(9).labels([1, 3]);
    let mails = request.header(TOKEN.0, TOKEN.1).all().await.expect("all");
    assert_eq!(mails.len(), 120);
    let last: Vec<_> = server
        .seen()
        .iter()
        .filter_map(|target| Some(target.split_once("last_mail_id=")?.1.to_owned()))
        .collect();
    assert_eq!(last, ["71", "21", "1"]);
}

#[tokio::test]
async fn events_are_walked_forwards_in_the_order_they_come_in() {
    // Ids in the order of their dates.
    let order: Vec<i64> = (0..120).map(|place| place * 77 % 127 + 1).collect();
    let server = Server::new(move |seen| {
        let from = query(seen)
            .get("from_event")
            .map(|id| id.parse::<i64>().expect("an id"));
        let start = from.map_or(0, |from| {
            order.iter().position(|id| *id == from).expect("an event") + 1
        });
        let events: Vec<_> = order[start..]
            .iter()
            .take(50)
            .map(|id| serde_json::json!({ "event_id": id, "title": "" }))
            .collect();
        Given::json(serde_json::to_string(&events).expect("JSON"))
    })
    .await;
    let events = server
        .esi()
        .get_characters_character_id_calendar(9)
        .header(TOKEN.0, TOKEN.1)
        .all()
        .await
        .expect("all");
    let ids: Vec<i64> = events
        .iter()
        .filter_map(|event| event.event_id)
        .map(|id| id.0)
        .collect();
    assert_eq!(
        ids,
        (0..120).map(|place| place * 77 % 127 + 1).collect::<Vec<_>>()
    );
    assert_eq!(server.seen().len(), 4);
}
