//! Draws random lines of aws-auth. A section is well written, badly written or broken, as a person's edits may leave it.
//! The same seed draws the same lines.

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub(super) const ACCOUNT: &str = "814203749616";
const OTHER_ACCOUNT: &str = "111122223333";
const NAMES: &[&str] =
    &["checkout-reader", "Deploy", "node_role", "AWSReservedSSO_Admin_1a2b3c4d", "ci+eu@x"];
const SESSIONS: &[&str] = &[
    "checkout-7d9c",
    "alice@example.com",
    "i-0123456789abcdef0",
    "i-12345678",
    "i-0123",
    "eks-i-0123456789abcdef0",
    "botocore-session-1764000000",
];
/// Usernames for principals whose session is not known.
const FIXED: &[&str] = &[
    "admin",
    "shop:{{AccountID}}",
    "key-{{AccessKeyID}}",
    "eks:admin",
    "aws:{{AccountID}}",
    "amazon:bob",
    "iam:bob",
    "EKS:admin",
    "eks-admin",
    "{{Account}}:x",
];
const OF_SESSION: &[&str] = &[
    "{{SessionName}}",
    "{{SessionNameRaw}}",
    "{{AccountID}}:{{SessionName}}:{{SessionNameRaw}}",
    "system:node:{{EC2PrivateDNSName}}",
    "{{ SessionName }}",
    "{{sessionname}}",
    "iam:{{SessionName}}",
];

/// Sebastiano Vigna's splitmix64.
pub(super) struct Draw(pub(super) u64);

impl Draw {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        // The upper half, which fits in a usize on every machine that this runs on.
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap_or_default() % limit
    }

    pub(super) fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    pub(super) fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }
}

/// The principal that makes the request.
pub(super) struct Principal {
    pub(super) arn: String,
    partition: &'static str,
    account: &'static str,
    /// `role/NAME`, `user/PATH/NAME`, `root`, or a resource of STS.
    resource: String,
    path: &'static str,
    has_session: bool,
}

impl Principal {
    pub(super) fn draw(draw: &mut Draw) -> Self {
        let partition = draw.of(&["aws", "aws", "aws", "aws-us-gov", "aws-cn"]);
        let account = draw.of(&[ACCOUNT, ACCOUNT, ACCOUNT, OTHER_ACCOUNT]);
        let path = draw.of(&["team/", "aws-reserved/sso.amazonaws.com/eu-west-1/"]);
        let name = draw.of(NAMES);
        let of_iam = |resource: &str| format!("arn:{partition}:iam::{account}:{resource}");
        let (arn, resource, has_session) = match draw.below(20) {
            0 => (of_iam("user/bob"), "user/bob".into(), false),
            1 => (of_iam("user/team/Bob"), "user/team/Bob".into(), false),
            2 => (of_iam(&format!("role/{name}")), format!("role/{name}"), false),
            3 => (of_iam(&format!("role/{path}{name}")), format!("role/{name}"), false),
            4 => (of_iam("root"), "root".into(), false),
            _ => {
                let session = draw.of(SESSIONS);
                let arn = format!("arn:{partition}:sts::{account}:assumed-role/{name}/{session}");
                (arn, format!("role/{name}"), true)
            }
        };
        Self { arn, partition, account, resource, path, has_session }
    }

    fn canonical(&self) -> String {
        format!("arn:{}:iam::{}:{}", self.partition, self.account, self.resource)
    }

    /// The ARN that a line gives for this principal: the right one, or nearly.
    fn named(&self, draw: &mut Draw, notes: &mut Vec<&'static str>) -> String {
        let right = self.canonical();
        let (note, arn) = match draw.below(24) {
            0..=9 => return right,
            10 => ("path", self.with_path()),
            11 => ("session ARN", self.arn.clone()),
            12 => ("other account", right.replace(self.account, "999988887777")),
            13 => ("lower case", right.to_lowercase()),
            14 => ("upper case", right.to_uppercase()),
            15 => ("other role", format!("{right}-2")),
            16 => ("wildcard", format!("arn:{}:iam::{}:role/*", self.partition, self.account)),
            17 => ("slash at the end", format!("{right}/")),
            18 => ("space at the end", format!("{right} ")),
            19 => ("root", format!("arn:{}:iam::{}:root", self.partition, self.account)),
            20 => ("other partition", right.replacen(self.partition, "aws-iso", 1)),
            21 => ("name alone", self.resource.replace("role/", "")),
            22 => ("nothing", String::new()),
            _ => ("region", right.replace("iam::", "iam:eu-west-1:")),
        };
        notes.push(note);
        arn
    }

    fn with_path(&self) -> String {
        self.canonical().replace("role/", &format!("role/{}", self.path))
    }

    fn username(&self, draw: &mut Draw) -> &'static str {
        let of_session = self.has_session && draw.one_in(2);
        draw.of(if of_session { OF_SESSION } else { FIXED })
    }

    fn groups(&self, draw: &mut Draw) -> Vec<&'static str> {
        let templates: &[&str] = match (self.has_session, draw.one_in(12)) {
            (_, true) => &["shop:{{AccountID}}"],
            (true, false) => &["shop:{{SessionName}}", "nodes", "{{EC2PrivateDNSName}}"],
            (false, false) => &["nodes"],
        };
        match draw.below(8) {
            0 => vec![],
            1 => vec!["system:masters", draw.of(templates)],
            2 => vec![draw.of(templates)],
            3 => vec!["system:bootstrappers", "system:nodes"],
            _ => vec!["shop"],
        }
    }

    /// The access entry as `describe-access-entry` prints it.
    fn entry(&self, draw: &mut Draw, notes: &mut Vec<&'static str>) -> Value {
        let (note, arn) = match draw.below(8) {
            0 => ("entry of another role", format!("{}-2", self.canonical())),
            1 => ("entry of another account", self.canonical().replace(self.account, "999988887777")),
            2..=4 => ("entry with path", self.with_path()),
            _ => ("entry", self.canonical()),
        };
        notes.push(note);
        json!({"accessEntry": {
            "clusterName": "prod",
            "principalArn": arn,
            "kubernetesGroups": self.groups(draw),
            "accessEntryArn": format!("arn:{}:eks:eu-west-1:{}:access-entry/prod/role/{ACCOUNT}/x/1", self.partition, self.account),
            "createdAt": "2026-01-10T09:00:00.000000+00:00",
            "modifiedAt": "2026-01-10T09:00:00.000000+00:00",
            "tags": {},
            "username": self.username(draw),
            "type": "STANDARD",
        }})
    }

    /// None or some, each for another principal, because EKS has one entry per principal.
    pub(super) fn entries(&self, draw: &mut Draw, notes: &mut Vec<&'static str>) -> Vec<Value> {
        let mut by_principal = BTreeMap::new();
        for _ in 0..=draw.below(3) {
            let entry = self.entry(draw, notes);
            let name = entry["accessEntry"]["principalArn"].as_str().unwrap_or_default();
            by_principal.insert(name.rsplit('/').next().unwrap_or_default().to_owned(), entry);
        }
        by_principal.into_values().collect()
    }

    /// The text of `mapRoles` or `mapUsers`.
    pub(super) fn section(&self, key: &str, draw: &mut Draw, notes: &mut Vec<&'static str>) -> String {
        let lines: Vec<Line> = (0..=draw.below(3)).map(|_| self.line(key, draw, notes)).collect();
        let mut kept: Vec<&Line> = Vec::new();
        for line in &lines {
            // Of two spellings of one user the authenticator takes an arbitrary one, because the order of Go's maps is random.
            let is_second_spelling =
                |other: &&Line| other.arn != line.arn && other.arn.eq_ignore_ascii_case(&line.arn);
            if key == "rolearn" || !kept.iter().any(is_second_spelling) {
                kept.push(line);
            }
        }
        if kept.len() > 1 && kept.iter().all(|line| line.arn == kept[0].arn) {
            notes.push("duplicate");
        }
        let margin = " ".repeat(draw.of(&[0, 0, 0, 2, 3]));
        let text: String = kept.iter().map(|line| line.text(&margin)).collect();
        spoilt(text, draw, notes)
    }

    fn line(&self, key: &str, draw: &mut Draw, notes: &mut Vec<&'static str>) -> Line {
        let mut misspelt = |right: &'static str, wrong: &[&'static str]| {
            if !draw.one_in(9) {
                return right;
            }
            notes.push("key");
            draw.of(wrong)
        };
        let keys = match key {
            "rolearn" => {
                misspelt("rolearn", &["roleARN", "RoleArn", "ROLEARN", "role_arn", "arn", "userarn", ""])
            }
            _ => misspelt("userarn", &["userARN", "UserArn", "user_arn", "rolearn", ""]),
        };
        let keys = [
            keys,
            misspelt("username", &["userName", "USERNAME", "user", "name", ""]),
            misspelt("groups", &["Groups", "group", "kubernetesGroups", ""]),
        ];
        Line {
            keys,
            arn: self.named(draw, notes),
            username: self.username(draw),
            groups: self.groups(draw),
            form: draw.below(12),
        }
    }
}

struct Line {
    /// The keys of ARN, username and groups; an empty key is left out.
    keys: [&'static str; 3],
    arn: String,
    username: &'static str,
    groups: Vec<&'static str>,
    form: usize,
}

impl Line {
    fn text(&self, margin: &str) -> String {
        let quoted = |text: &str| json!(text).to_string();
        // YAML would read a brace at the start as a mapping, and would drop a space at the end.
        let plain = |text: &str| match text.is_empty() || text.starts_with('{') || text.ends_with([' ', ':'])
        {
            true => quoted(text),
            false => text.to_owned(),
        };
        let groups = json!(self.groups).to_string();
        let inner = format!("{margin}  ");
        let groups = match self.form {
            0 => "shop".into(),
            1 if !self.groups.is_empty() => {
                self.groups.iter().map(|group| format!("\n{inner}- {}", plain(group))).collect()
            }
            2 | 3 => groups,
            _ if self.groups.is_empty() => groups,
            _ => self.groups.iter().map(|group| format!("\n{inner}  - {}", plain(group))).collect(),
        };
        let (arn, username) = match self.form {
            4 => (format!("'{}'", self.arn), format!("'{}'", self.username)),
            5 => (quoted(&self.arn), quoted(self.username)),
            6 => (format!("!!str {}", quoted(&self.arn)), format!(">-\n{inner}  {}", self.username)),
            _ => (plain(&self.arn), plain(self.username)),
        };
        let pairs = [(self.keys[0], arn), (self.keys[1], username), (self.keys[2], groups)];
        let pairs = pairs.into_iter().filter(|(key, _)| !key.is_empty());
        let mut pairs: Vec<String> = pairs.map(|(key, value)| format!("{key}: {value}")).collect();
        if self.form == 7 {
            pairs.reverse();
        }
        if pairs.is_empty() {
            return format!("{margin}- {{}}\n");
        }
        if self.form == 8 {
            let value =
                |key: &str, value: Value| (!key.is_empty()).then(|| format!("{}: {value}", json!(key)));
            let pairs = [
                value(self.keys[0], json!(self.arn)),
                value(self.keys[1], json!(self.username)),
                value(self.keys[2], json!(self.groups)),
            ];
            return format!("{margin}- {{{}}}\n", pairs.into_iter().flatten().collect::<Vec<_>>().join(", "));
        }
        format!("{margin}- {}\n", pairs.join(&format!("\n{inner}")))
    }
}

/// Damages a section now and then, as manual edits do.
fn spoilt(text: String, draw: &mut Draw, notes: &mut Vec<&'static str>) -> String {
    let (note, text) = match draw.below(60) {
        0 => ("tab", text.replacen("\n  ", "\n\t", 1)),
        1 => ("no colon", text.replacen(": ", " ", 1)),
        2 => ("one space more", text.replacen("\n  ", "\n   ", 1)),
        3 => ("one space less", text.replacen("\n  ", "\n ", 1)),
        4 => ("open quote", text.replacen("username: ", "username: \"", 1)),
        5 => ("template without quotes", text.replacen("username: ", "username: {{SessionName}} #", 1)),
        6 => ("item of nothing", format!("{text}-\n")),
        7 => ("item that is text", format!("- just text\n{text}")),
        8 => ("comment", format!("# who may come in\n{text}# end\n")),
        9 => ("document mark", format!("---\n{text}")),
        10 => ("empty", draw.of(&["", "\"\"", "''", "``", "\n", "[]", "# nothing\n", "~"]).to_owned()),
        11 => ("no list", text.replacen("- ", "  ", 1)),
        12 => ("carriage returns", text.replace('\n', "\r\n")),
        13 => ("open bracket", format!("{text}- [\n")),
        14 => ("key twice", text.replacen("username: ", "username: former\n  username: ", 1)),
        15 => ("number for a name", text.replacen("username: ", "username: 12345 #", 1)),
        16 => ("yes for a name", text.replacen("username: ", "username: yes #", 1)),
        17 => ("space out of place", text.replacen("nodes\n", "nodes\n     - more\n", 1)),
        18 => ("item that begins with a stray word", format!("{text}oops\n")),
        19 => ("no space behind the dash", text.replacen("- ", "-", 1)),
        20 => ("no space behind the colon", text.replacen(": ", ":", 1)),
        21 => ("anchor", text.replacen("username: ", "username: &who ", 1)),
        22 => ("unknown alias", text.replacen("username: ", "username: *who #", 1)),
        23 => ("second document", format!("{text}---\n- other\n")),
        24 => ("nothing for a name", text.replacen("username: ", "username: null #", 1)),
        25 => ("blank lines", format!("\n\n{}", text.replace('\n', "\n\n"))),
        _ => return text,
    };
    notes.push(note);
    text
}

/// The text of `mapAccounts`.
pub(super) fn accounts(draw: &mut Draw, notes: &mut Vec<&'static str>) -> String {
    let (note, text) = match draw.below(12) {
        0..=3 => ("account", format!("- {ACCOUNT}\n")),
        4 => ("account in quotes", format!("- \"{OTHER_ACCOUNT}\"\n- '{ACCOUNT}'\n")),
        5 => ("other account alone", "- 999988887777\n".to_owned()),
        6 => ("account that is no list", format!("{ACCOUNT}\n")),
        7 => ("account of a key", format!("- account: {ACCOUNT}\n")),
        8 => ("accounts broken", format!("- {ACCOUNT}\n- \"\n")),
        9 => ("accounts in brackets", format!("[{OTHER_ACCOUNT}, \"{ACCOUNT}\"]\n")),
        10 => ("account as an ARN", format!("- arn:aws:iam::{ACCOUNT}:root\n")),
        _ => ("accounts empty", "\"\"\n".to_owned()),
    };
    notes.push(note);
    text
}
