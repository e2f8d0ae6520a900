//! Which numbers ESI gives to what.

/// Whole numbers without a gap; never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    first: i64,
    last: i64,
}

impl Range {
    const fn new(first: i64, last: i64) -> Self {
        Self { first, last }
    }

    /// How many numbers there are.
    pub(super) fn size(self) -> u64 {
        self.last.abs_diff(self.first).saturating_add(1)
    }

    /// Counted from 0.
    pub(super) fn nth(self, index: u64) -> i64 {
        self.first.saturating_add_unsigned(index).min(self.last)
    }

    /// The part within the bounds; where there is none, what lies next to the bound that is broken.
    pub(super) fn within(self, least: Option<i64>, most: Option<i64>) -> Self {
        let least = least.unwrap_or(i64::MIN);
        let most = most.unwrap_or(i64::MAX).max(least);
        let near = |number: i64| number.clamp(least, most);
        let range = Self::new(near(self.first), near(self.last));
        if range.first < range.last || self.first == self.last || least == most {
            return range;
        }
        // All of the range is on one side of the bounds: a thousand numbers from there.
        if range.first == least {
            Self::new(least, near(least.saturating_add(999)))
        } else {
            Self::new(near(most.saturating_sub(999)), most)
        }
    }
}

/// Ids of a kind, by the name of its newtype in `spec/codegen.toml`. These are the ranges of the game.
pub(super) fn of_kind(kind: &str) -> Range {
    match kind {
        "FactionId" => Range::new(500_001, 500_027),
        "AgentId" => Range::new(3_008_416, 3_020_000),
        "RegionId" => Range::new(10_000_001, 10_000_070),
        "ConstellationId" => Range::new(20_000_001, 20_000_800),
        "SolarSystemId" => Range::new(30_000_001, 30_005_201),
        "PlanetId" | "MoonId" | "AsteroidBeltId" | "StarId" => Range::new(40_000_001, 40_340_000),
        "StargateId" => Range::new(50_000_001, 50_013_800),
        "StationId" | "LocationId" => Range::new(60_000_004, 60_015_187),
        "CorporationId" => Range::new(98_000_001, 98_799_999),
        "AllianceId" => Range::new(99_000_001, 99_013_999),
        "CharacterId" => Range::new(2_112_000_000, 2_123_999_999),
        "StructureId" | "ItemId" | "PinId" => Range::new(1_020_000_000_000, 1_049_999_999_999),
        "FleetId" => Range::new(1_100_000_000_000, 1_199_999_999_999),
        "WingId" => Range::new(2_000_000_000_000, 2_099_999_999_999),
        "SquadId" => Range::new(3_000_000_000_000, 3_099_999_999_999),
        "OrderId" => Range::new(6_000_000_000, 6_999_999_999),
        "TransactionId" => Range::new(6_200_000_000, 6_399_999_999),
        "NotificationId" => Range::new(1_500_000_000, 1_999_999_999),
        "IndustryJobId" => Range::new(500_000_000, 599_999_999),
        "MailId" => Range::new(380_000_000, 399_999_999),
        "ContractId" => Range::new(180_000_000, 219_999_999),
        "MailingListId" => Range::new(145_000_000, 145_999_999),
        "KillmailId" => Range::new(110_000_000, 129_999_999),
        "EventId" => Range::new(2_000_000, 2_999_999),
        "WarId" => Range::new(600_000, 749_999),
        "TypeId" => Range::new(18, 81_000),
        "GraphicId" => Range::new(10, 27_000),
        "EffectId" => Range::new(4, 8_900),
        "AttributeId" => Range::new(2, 5_600),
        "GroupId" => Range::new(1, 4_700),
        "MarketGroupId" => Range::new(2, 3_700),
        "CategoryId" => Range::new(1, 91),
        "BloodlineId" => Range::new(1, 15),
        "RaceId" => Range::new(1, 8),
        "MailLabelId" | "ContactLabelId" => Range::new(1, 255),
        _ => Range::new(1, 999_999),
    }
}

/// Numbers that identify nothing that has a newtype.
pub(super) fn amounts(name: &str) -> Range {
    match name {
        // Contacts, senders and parties are of several kinds; a character is always one of them.
        "contact_id" | "recipient_id" | "from" | "first_party_id" | "second_party_id" | "acceptor_id"
        | "assignee_id" | "shareholder_id" => of_kind("CharacterId"),
        _ if name.ends_with("_id") || name == "id" => Range::new(1, 999_999),
        _ => Range::new(0, 10_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_kept_and_never_leave_nothing() {
        let range = Range::new(0, 10_000);
        assert_eq!(range.within(Some(1), Some(5)), Range::new(1, 5));
        assert_eq!(range.within(None, None), range);
        assert_eq!(range.within(Some(20_000), None), Range::new(20_000, 20_999));
        assert_eq!(range.within(None, Some(-5)), Range::new(-1004, -5));
        assert_eq!(range.within(Some(7), Some(7)), Range::new(7, 7));
        assert_eq!(
            of_kind("OrderId").within(None, Some(i64::from(i32::MAX))).size(),
            1000
        );
        assert_eq!(Range::new(i64::MIN, i64::MAX).size(), u64::MAX);
    }

    #[test]
    fn the_last_number_is_the_end() {
        let range = Range::new(5, 7);
        assert_eq!(range.size(), 3);
        assert_eq!([0, 1, 2, 9].map(|index| range.nth(index)), [5, 6, 7, 7]);
    }
}
