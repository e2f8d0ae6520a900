use super::*;
use crate::contract::Contract;
use std::collections::BTreeSet;

fn question<'a>(operation: &'a Operation, path_values: &'a PathValues, ids: &'a [i64]) -> Question<'a> {
    Question {
        operation,
        path: &operation.path,
        path_values,
        query: "",
        ids,
        buys: None,
        records: Records { from: 0, count: 7 },
    }
}

/// `ESIKIT_SEED` takes one seed alone.
fn seeds() -> Vec<u64> {
    let given = std::env::var("ESIKIT_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    given.map_or_else(|| (0..4).collect(), |seed| vec![seed])
}

#[test]
fn every_answer_satisfies_its_schema() {
    let contract = Contract::carried().unwrap();
    let mut answers = 0;
    for seed in seeds() {
        let maker = Maker {
            contract: &contract,
            world: World { seed },
        };
        for operation in contract.operations() {
            let path_values = operation
                .parameters
                .iter()
                .filter(|parameter| parameter.in_path)
                .map(|parameter| (parameter.name.clone(), "12345".to_owned()))
                .collect();
            for ids in [&[][..], &[11, 22, 33][..]] {
                let question = question(operation, &path_values, ids);
                let answer = maker.answer(&question);
                let Some(schema) = &operation.answer else {
                    assert!(answer.is_null());
                    continue;
                };
                let faults = contract.schemas.faults(schema, &answer, "answer");
                assert!(
                    faults.is_empty(),
                    "seed {seed}, {}: {}\n{answer}",
                    operation.id,
                    faults[0]
                );
                assert_eq!(answer, maker.answer(&question), "seed {seed}, {}", operation.id);
                answers += 1;
            }
        }
    }
    assert!(answers >= 2 * 213 * seeds().len(), "{answers}");
}

/// Ids that ESI would never give: zero, or less.
#[test]
fn ids_are_positive_and_of_their_kind() {
    let contract = Contract::carried().unwrap();
    let maker = Maker {
        contract: &contract,
        world: World { seed: 5 },
    };
    let path_values = PathValues::from([("region_id".to_owned(), "10000002".to_owned())]);
    let operation = contract.operation("GetMarketsRegionIdOrders").unwrap();
    let orders = maker.answer(&question(operation, &path_values, &[]));
    for order in orders.as_array().unwrap() {
        assert!(
            (6_000_000_000..7_000_000_000).contains(&order["order_id"].as_i64().unwrap()),
            "{order}"
        );
        assert!(
            (30_000_001..30_006_000).contains(&order["system_id"].as_i64().unwrap()),
            "{order}"
        );
        assert!(
            (18..=81_000).contains(&order["type_id"].as_i64().unwrap()),
            "{order}"
        );
    }
}

#[test]
fn pages_of_a_list_of_ids_name_each_once() {
    let contract = Contract::carried().unwrap();
    let maker = Maker {
        contract: &contract,
        world: World { seed: 5 },
    };
    let operation = contract.operation("GetUniverseTypes").unwrap();
    let path_values = PathValues::new();
    let mut seen = BTreeSet::new();
    for page in 0..3 {
        let records = Records {
            from: page * 1000,
            count: 1000,
        };
        let answer = maker.answer(&Question {
            records,
            ..question(operation, &path_values, &[])
        });
        for id in answer.as_array().unwrap() {
            assert!(seen.insert(id.as_i64().unwrap()), "{id} twice");
        }
    }
    assert_eq!(seen.len(), 3000);
}

#[test]
fn a_character_has_one_corporation_and_one_name_everywhere() {
    let contract = Contract::carried().unwrap();
    let maker = Maker {
        contract: &contract,
        world: World { seed: 9 },
    };
    let path_values = PathValues::from([("character_id".to_owned(), "2112625428".to_owned())]);
    let character = contract.operation("GetCharactersDetail").unwrap();
    let character = maker.answer(&question(character, &path_values, &[]));
    let none = PathValues::new();
    let affiliation = contract.operation("PostCharactersAffiliation").unwrap();
    let affiliation = maker.answer(&question(affiliation, &none, &[2_112_625_428]));
    let names = contract.operation("PostUniverseNames").unwrap();
    let names = maker.answer(&question(names, &none, &[2_112_625_428]));
    assert_eq!(affiliation[0]["character_id"], 2_112_625_428_i64);
    assert_eq!(character["corporation_id"], affiliation[0]["corporation_id"]);
    assert_eq!(names[0]["id"], 2_112_625_428_i64);
    assert_eq!(character["name"], names[0]["name"]);
}
