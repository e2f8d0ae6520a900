//! Calls endpoints of five tags against the server named by the first argument, and prints what came.

use esikit::Esi;
use esikit::ids::{AllianceId, RegionId, SolarSystemId};
use esikit::types::{MarketOrder, OrderRange, OrderType, Status};
use std::error::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let base_url = arguments.next().ok_or("give a base URL")?;
    #[cfg(feature = "payloads")]
    if base_url == "payloads" {
        return payloads(&arguments.next().ok_or("give a file")?);
    }
    let esi = Esi::builder().user_agent("consumer/1.0 (consumer@example.com)").base_url(base_url).build()?;
    calls(&esi).await?;
    #[cfg(feature = "newer-spec")]
    println!("newer: {:?}", esi.get_brand_new().send().await?.into_inner());
    Ok(())
}

#[cfg(not(feature = "payloads"))]
async fn calls(esi: &Esi) -> Result<(), esikit::Error> {
    let status: Status = esi.get_status().send().await?.into_inner();
    println!("status: {} players", status.players);
    let orders = esi.get_markets_region_id_orders(RegionId(10000002)).order_type(OrderType::Sell).send().await?;
    let first: &MarketOrder = &orders[0];
    assert_eq!(first.range, OrderRange::Region);
    println!("market: {} orders, the first of type {}, page 1 of {:?}", orders.len(), first.type_id, orders.pages());
    let alliance = esi.get_alliances_alliance_id(AllianceId(99000001)).send().await?;
    println!("alliance: {} [{}]", alliance.name, alliance.ticker);
    let names = esi.post_universe_names(&[30000142, 95465499]).send().await?;
    println!("universe: {}", names.iter().map(|name| name.name.as_str()).collect::<Vec<_>>().join(", "));
    let jumps = esi.get_sovereignty_campaigns().send().await?;
    println!("sovereignty: {} campaigns in {:?}", jumps.len(), jumps.first().map(|campaign| campaign.solar_system_id));
    assert_eq!(jumps[0].solar_system_id, SolarSystemId(30000856));
    Ok(())
}

/// The types of another specification may be others.
#[cfg(feature = "payloads")]
async fn calls(_: &Esi) -> Result<(), esikit::Error> {
    Ok(())
}

/// Reads `[operation, payload]` pairs and prints, as JSON, each payload after decoding and encoding, or the error.
#[cfg(feature = "payloads")]
fn payloads(file: &str) -> Result<(), Box<dyn Error>> {
    let pairs: Vec<(String, serde_json::Value)> = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    for (operation, payload) in pairs {
        let line = match esikit::mock::reencoded(&operation, &payload.to_string()) {
            Some(Ok(again)) => serde_json::json!([operation, "ok", again]),
            Some(Err(error)) => serde_json::json!([operation, "error", error.to_string()]),
            None => serde_json::json!([operation, "unknown", null]),
        };
        println!("{line}");
    }
    Ok(())
}
