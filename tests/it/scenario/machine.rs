//! What the cases share: the programs, the class table, the schema, and whether this machine can build pods.
//! It is examined once, before the first case.

use crate::support::{binary, run::run, tool};
use boon::{Compiler, SchemaIndex, Schemas};
use libtest_mimic::Failed;
use serde::Deserialize;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

#[derive(Default)]
pub(crate) struct Machine {
    pub(crate) sandbox: PathBuf,
    /// Why no pod can be built.
    pub(crate) without_pods: Option<String>,
    pub(crate) classes: BTreeMap<String, Class>,
    schema: Option<(Schemas, SchemaIndex)>,
}

/// A row of `credprobe explain --output=json`.
#[derive(Clone, Deserialize)]
pub(crate) struct Class {
    pub(crate) class: String,
    pub(crate) code: i32,
    pub(crate) owner: Option<String>,
    pub(crate) transient: bool,
    pub(crate) recreate_pod: bool,
}

impl Machine {
    pub(crate) fn look() -> Result<Self, Failed> {
        let sandbox = tool::find("credprobe-sandbox", "CREDPROBE_SANDBOX_BIN")?;
        // This also makes the issuer's key, before many runs ask for it at once.
        let keys = format!("--keys={}", env!("CARGO_TARGET_TMPDIR"));
        let trial = run(
            Command::new(&sandbox).args(["--scenario=healthy", "--pod=always", &keys, "--", "true"]),
            Stdio::piped(),
        )?;
        Ok(Self {
            sandbox,
            without_pods: (trial.code != 0).then(|| trial.stderr.trim().to_owned()),
            classes: classes()?,
            schema: Some(schema()?),
        })
    }

    pub(crate) fn class(&self, id: &str) -> Result<&Class, String> {
        self.classes.get(id).ok_or_else(|| format!("`credprobe explain` knows no class `{id}`"))
    }

    /// Whether the report conforms to the published schema.
    pub(crate) fn validate(&self, report: &Value) -> Result<(), String> {
        let Some((schemas, index)) = &self.schema else { return Ok(()) };
        schemas.validate(report, *index).map_err(|error| format!("against the schema: {error:#}"))
    }
}

/// Every class of the probe under test, by id.
pub(super) fn classes() -> Result<BTreeMap<String, Class>, Failed> {
    #[derive(Deserialize)]
    struct Table {
        classes: Vec<Class>,
    }
    let explained =
        run(Command::new(binary::probe()).env_clear().args(["explain", "--output=json"]), Stdio::piped())?;
    let table: Table =
        serde_json::from_str(&explained.stdout).map_err(|error| format!("{error}: {explained}"))?;
    Ok(table.classes.into_iter().map(|class| (class.class.clone(), class)).collect())
}

fn schema() -> Result<(Schemas, SchemaIndex), Failed> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/report.schema.json");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource("report.json", serde_json::from_str(&text)?)?;
    let index = compiler.compile("report.json", &mut schemas).map_err(|error| format!("{error:#}"))?;
    Ok((schemas, index))
}
