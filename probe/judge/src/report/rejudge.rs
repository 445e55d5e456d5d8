//! Judges a saved report again: with its evidence, clock and flags, but today's rules. No pod, no network.

use crate::evidence::{Collected, Timing};
use crate::report::{Report, ReportOptions, SCHEMA};
use crate::text::{self, shown};
use crate::verdict::Tolerate;

/// The evidence of a JSON report, and its time.
///
/// # Errors
/// It is not a report of this schema; the error says what is missing.
pub fn saved_run(document: &[u8]) -> Result<Collected, String> {
    read(document).map(|(_, run)| run)
}

/// A report and its evidence, which is moved out of the report.
fn read(document: &[u8]) -> Result<(Report, Collected), String> {
    // Redact it again, because its author may have added what a run would not have kept.
    let document = String::from_utf8_lossy(document);
    let document = shown::document(&document);
    let mut saved: Report = serde_json::from_slice(document.as_bytes())
        .map_err(|error| format!("this is not a report: {error}"))?;
    if saved.schema != SCHEMA {
        return Err(format!("its schema is `{}`; this version reads {SCHEMA}", saved.schema));
    }
    let observed_at = text::parse_rfc3339(&saved.observed_at)
        .ok_or_else(|| format!("observed_at is `{}`, not RFC 3339", saved.observed_at))?;
    let timings: Vec<Timing> = saved
        .stages
        .iter()
        .map(|stage| Timing {
            stage: stage.stage,
            took_ms: stage.took_ms,
            skipped_because: stage.skipped_because.clone(),
        })
        .collect();
    let evidence = std::mem::take(&mut saved.evidence);
    Ok((saved, Collected { evidence, seen: true, observed_at, timings }))
}

/// Judges the evidence of a JSON report again.
///
/// # Errors
/// It is not a report of this schema; the error says what is missing.
pub fn rejudge(document: &[u8]) -> Result<Report, String> {
    let (saved, run) = read(document)?;
    let stated = run.evidence.environment.options.tolerate.as_deref();
    let tolerate = Tolerate::parse(stated.unwrap_or_default())?;
    let options = ReportOptions {
        tolerate: &tolerate,
        report_only: saved.report_only,
        attempts: saved.attempts,
        flapped: saved.verdict.flapped,
    };
    Ok(crate::assess(run, &options))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Evidence, StsError};
    use crate::judge::fixtures::{NOW, healthy};
    use serde_json::{Value, json};

    fn saved(evidence: Evidence) -> Value {
        let report = crate::assess_without_options(Collected {
            evidence,
            seen: true,
            observed_at: NOW,
            timings: vec![],
        });
        serde_json::to_value(report).unwrap()
    }

    fn judged(report: &Value) -> Result<Report, String> {
        rejudge(report.to_string().as_bytes())
    }

    fn refused() -> Evidence {
        let mut evidence = healthy();
        let error = StsError { code: "AccessDenied".to_owned(), message: "Not authorized".to_owned() };
        evidence.exchange = Some(crate::evidence::Exchange {
            status: 403,
            from_sts: true,
            received_at: NOW,
            error: Some(error),
            ..Default::default()
        });
        evidence
    }

    #[test]
    fn what_an_exchange_was_refused_with_is_an_object_of_its_own() {
        let mut report = saved(refused());
        let error = json!({"code": "AccessDenied", "message": "Not authorized"});
        assert_eq!(report["evidence"]["exchange"]["error"], error);
        assert_eq!(judged(&report).unwrap().verdict.class.id(), "access-denied");
        // An incomplete answer must not become another answer.
        report["evidence"]["exchange"]["error"] = json!({"code": "AccessDenied"});
        assert!(judged(&report).unwrap_err().contains("missing field `message`"));
        report["evidence"]["exchange"]["error"] = Value::Null;
        assert_ne!(judged(&report).unwrap().verdict.class.id(), "access-denied");
    }

    /// An unknown field would be ignored, and its author would not know.
    #[test]
    fn a_field_that_no_report_has_is_refused_wherever_it_stands() {
        let report = saved(refused());
        assert!(judged(&report).is_ok());
        let mut places = Vec::new();
        objects(&report, String::new(), &mut places);
        assert!(places.contains(&"/evidence/exchange/error".to_owned()), "{places:?}");
        assert!(places.contains(&"/findings/0/steps/0".to_owned()), "{places:?}");
        for place in places {
            let mut changed = report.clone();
            changed.pointer_mut(&place).unwrap()["expecteed"] = json!(null);
            let error = judged(&changed).unwrap_err();
            // The object of an enum has one name, that of its variant.
            let known = error.contains("unknown field `expecteed`") || error.contains("single key");
            assert!(known, "{place}: {error}");
        }
    }

    fn objects(value: &Value, place: String, places: &mut Vec<String>) {
        match value {
            // Any name is allowed there.
            Value::Object(_) if place.ends_with("/variables") => {}
            // serde accepts any field in a tagged variant without fields.
            Value::Object(_) if place.ends_with("/token/shape") => {}
            Value::Object(fields) => {
                for (name, field) in fields {
                    objects(field, format!("{place}/{name}"), places);
                }
                places.push(place);
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    objects(item, format!("{place}/{index}"), places);
                }
            }
            _ => {}
        }
    }
}
