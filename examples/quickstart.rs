//! Status, a region's market, a type and the region's name, by typed calls.
//!
//! `cargo run --example quickstart` talks to a server that this program starts itself, with answers made up for it: no
//! network, no registration. `cargo run --example quickstart -- --live` asks the real ESI instead.

use axum::Router;
use axum::extract::Query;
use axum::http::header::{EXPIRES, LAST_MODIFIED};
use axum::response::IntoResponse;
use axum::routing::get;
use esikit::Esi;
use esikit::ids::RegionId;
use esikit::types::{MarketOrder, OrderType};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::error::Error;

/// The Forge, the region with the busiest market.
const FORGE: RegionId = RegionId(10000002);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let live = std::env::args().any(|argument| argument == "--live");
    let mut builder = Esi::builder().user_agent("esikit-quickstart/1.0 (https://github.com/esikit/esikit)");
    if !live {
        builder = builder.base_url(serve().await?).no_proxy();
    }
    let esi = builder.build()?;

    let status = esi.get_status().send().await?;
    println!(
        "{} pilots are online; the server runs version {}.\n",
        status.players, status.server_version
    );

    let region = esi.get_universe_regions_region_id(FORGE).send().await?;
    let orders = esi
        .get_markets_region_id_orders(FORGE)
        .order_type(OrderType::Sell)
        .send()
        .await?;
    let Some(cheapest) = orders.iter().min_by(|a, b| a.price.total_cmp(&b.price)) else {
        println!("Nothing is for sale in {}.", region.name);
        return Ok(());
    };
    let item = esi.get_universe_types_type_id(cheapest.type_id).send().await?;

    println!(
        "For sale in {}, page 1 of {}:\n",
        region.name,
        orders.pages().unwrap_or(1)
    );
    print_table(&orders);
    println!("\nThe cheapest is {}, at {:.2} ISK.", item.name, cheapest.price);
    if let Some(expires) = orders.expires() {
        println!("ESI may not be asked for this page again before {expires}.");
    }
    if !live {
        println!(
            "\nThese answers came from this program itself; run it with `-- --live` to ask the real ESI."
        );
    }
    Ok(())
}

fn print_table(orders: &[MarketOrder]) {
    println!(
        "{:>12}  {:>9}  {:>16}  {:>12}  {:<12}",
        "order", "type", "ISK a unit", "units left", "range"
    );
    for order in orders.iter().take(10) {
        println!(
            "{:>12}  {:>9}  {:>16.2}  {:>12}  {:<12}",
            order.order_id, order.type_id, order.price, order.volume_remain, order.range
        );
    }
}

/// Starts a server on a free port of this machine and returns its URL.
async fn serve() -> Result<String, Box<dyn Error>> {
    let app = Router::new()
        .route("/status", get(|| async { answer(status()) }))
        .route(
            "/universe/regions/{region_id}",
            get(|| async { answer(region()) }),
        )
        .route("/universe/types/{type_id}", get(|| async { answer(item()) }))
        .route(
            "/markets/{region_id}/orders",
            get(|query: Query<HashMap<String, String>>| async move {
                let wanted = query.get("order_type").map_or("all", String::as_str);
                answer(orders(wanted))
            }),
        );
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(format!("http://{address}"))
}

fn answer(body: Value) -> impl IntoResponse {
    let headers = [
        (LAST_MODIFIED, "Tue, 24 Nov 2026 12:00:00 GMT"),
        (EXPIRES, "Tue, 24 Nov 2026 12:05:00 GMT"),
    ];
    (headers, [("X-Pages", "1")], axum::Json(body))
}

fn status() -> Value {
    json!({ "players": 24_817, "server_version": "2900001", "start_time": "2026-11-24T11:03:27Z", "vip": false })
}

fn region() -> Value {
    json!({ "region_id": FORGE.0, "name": "The Forge", "constellations": [20_000_018, 20_000_019, 20_000_020] })
}

fn item() -> Value {
    json!({
        "type_id": 34,
        "name": "Tritanium",
        "description": "A mineral, made up for this example.",
        "group_id": 18,
        "published": true,
        "volume": 0.01,
    })
}

fn orders(wanted: &str) -> Value {
    let book = [
        (false, 34, 4.02, 1_250_000, "region"),
        (false, 34, 4.05, 880_000, "region"),
        (true, 34, 3.91, 4_000_000, "station"),
        (false, 35, 11.4, 300_000, "region"),
        (true, 35, 10.95, 725_000, "10"),
    ];
    let shown = book.into_iter().filter(|(is_buy, ..)| match wanted {
        "buy" => *is_buy,
        "sell" => !*is_buy,
        _ => true,
    });
    shown
        .zip(6_900_000_001_i64..)
        .map(|((is_buy_order, type_id, price, volume, range), order_id)| {
            json!({
                "order_id": order_id,
                "type_id": type_id,
                "is_buy_order": is_buy_order,
                "price": price,
                "volume_remain": volume,
                "volume_total": volume + 10_000,
                "min_volume": 1,
                "range": range,
                "location_id": 60_003_760,
                "system_id": 30_000_142,
                "duration": 90,
                "issued": "2026-11-23T18:20:00Z",
            })
        })
        .collect()
}
