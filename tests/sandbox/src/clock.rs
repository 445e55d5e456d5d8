//! STS's clock, which a scenario may offset from this machine's, and the three ways in which AWS writes a time.
//! Token times use this machine's clock, because the kubelet and the issuer share the node's clock.

use time::{
    Duration, OffsetDateTime, PrimitiveDateTime, format_description::BorrowedFormatItem,
    macros::format_description,
};

const HTTP: &[BorrowedFormatItem<'_>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
const ISO: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
const BASIC: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day]T[hour][minute][second]Z");
const KUBELET: &[BorrowedFormatItem<'_>] =
    format_description!("[year]_[month]_[day]_[hour]_[minute]_[second]");

/// A clock that runs `offset` ahead of this machine's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    offset: Duration,
}

impl Clock {
    pub(crate) fn ahead_by(seconds: i64) -> Self {
        Self { offset: Duration::seconds(seconds) }
    }

    pub(crate) fn now(self) -> OffsetDateTime {
        // The end of the calendar does not matter in a sandbox.
        OffsetDateTime::now_utc().saturating_add(self.offset)
    }
}

/// The form of the `Date` header: `Sun, 22 Nov 2026 00:11:05 GMT`.
pub(crate) fn http(time: OffsetDateTime) -> String {
    time.format(HTTP).unwrap_or_default()
}

/// The form of `Expiration`: `2026-11-22T00:11:05Z`.
pub(crate) fn iso(time: OffsetDateTime) -> String {
    time.format(ISO).unwrap_or_default()
}

/// The form of `X-Amz-Date` and of the texts about it: `20261122T001105Z`.
pub(crate) fn basic(time: OffsetDateTime) -> String {
    time.format(BASIC).unwrap_or_default()
}

/// The form of the kubelet's directory name: `2026_11_22_00_11_05`.
pub(crate) fn kubelet(time: OffsetDateTime) -> String {
    time.format(KUBELET).unwrap_or_default()
}

/// Reads `20261122T001105Z`.
pub(crate) fn parse_basic(text: &str) -> Option<OffsetDateTime> {
    PrimitiveDateTime::parse(text, BASIC).ok().map(PrimitiveDateTime::assume_utc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_are_those_of_aws() {
        let time = OffsetDateTime::from_unix_timestamp(1_795_306_265).unwrap();
        assert_eq!(http(time), "Sun, 22 Nov 2026 00:11:05 GMT");
        assert_eq!(iso(time), "2026-11-22T00:11:05Z");
        assert_eq!(basic(time), "20261122T001105Z");
        assert_eq!(parse_basic("20261122T001105Z"), Some(time));
    }

    #[test]
    fn a_clock_ahead_is_ahead() {
        assert!(Clock::ahead_by(3600).now() > OffsetDateTime::now_utc() + Duration::minutes(59));
    }
}
