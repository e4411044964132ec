//! The company's directory: which group queries find the user.
//!
//! One connection to the first server that answers, LDAPv3, all queries pipelined on it. References to other servers
//! are never followed: they could lead the password anywhere. On any failure the caller keeps the groups it knew.

use directory::filter::{self, Template};
use futures_util::StreamExt;
use hub::machine::people::rules::Directory;
use hub::machine::{DirectoryAnswer, GroupRules};
use hub::problem::Reason;
use hub::protocol::{Detail, Problem};
use ldap3::{Ldap, LdapError, Scope, SearchOptions};
use std::time::Duration;

mod connection;
mod detail;
mod guard;

use connection::{ServerFault, Step};

/// For everything together.
pub const DEADLINE: Duration = Duration::from_secs(30);
/// For each answer of a connected server.
pub const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);
/// Queries under way at a time; servers close connections with more than about a hundred.
const WIDTH: usize = 32;
/// Longest user name, in characters.
const MAX_USER_CHARS: usize = 256;

/// RFC 4511 §4.1.9.
const SUCCESS: u32 = 0;
const SIZE_LIMIT_EXCEEDED: u32 = 4;

/// Asks which groups' queries find `user`; `DOMAIN\` and `@realm` are taken off the name first.
///
/// Never fails as a whole: what went wrong is in the answer. Returns within [`DEADLINE`].
pub async fn ask(user: &str, rules: &GroupRules) -> DirectoryAnswer {
    let policy_version = rules.policy_version;
    let (queries, mut refused) = match prepare(user, rules) {
        Ok(prepared) => prepared,
        Err(problem) => return DirectoryAnswer { policy_version, found: Err(problem), refused: Vec::new() },
    };
    if queries.is_empty() {
        return DirectoryAnswer { policy_version, found: Ok((String::new(), Vec::new())), refused };
    }
    let Some(directory) = rules.directory.clone() else {
        let problem = Reason::DirectoryMissing.at("tenant.json, ldap");
        return DirectoryAnswer { policy_version, found: Err(problem), refused };
    };
    let place = directory.servers.first().cloned().unwrap_or_default();
    // A task of its own: a panic of the library while it reads a hostile answer ends this task, not the agent.
    let mut task = tokio::task::JoinSet::new();
    task.spawn(async move { try_servers(&directory, queries).await });
    let found = match tokio::time::timeout(DEADLINE, task.join_next()).await {
        Ok(Some(Ok(Ok(answer)))) => {
            refused.extend(answer.refused);
            Ok((answer.server, answer.found))
        }
        Ok(Some(Ok(Err(problem)))) => Err(problem),
        Ok(Some(Err(_)) | None) => {
            let unread = Detail::new("ldap-unread", "an answer the library cannot read");
            Err(ServerFault::Protocol(unread).problem(&place))
        }
        Err(_) => Err(ServerFault::Silent { step: Step::AllQueries, within: DEADLINE }.problem(&place)),
    };
    DirectoryAnswer { policy_version, found, refused }
}

/// One query, ready to send.
#[derive(Clone, Debug)]
struct Query {
    group: String,
    base: String,
    filter: String,
}

type Refused = Vec<(String, Problem)>;

fn prepare(user: &str, rules: &GroupRules) -> Result<(Vec<Query>, Refused), Problem> {
    let asked: Vec<_> =
        rules.groups.iter().filter_map(|rule| rule.filter.as_deref().map(|text| (rule, text))).collect();
    let (mut queries, mut refused) = (Vec::new(), Vec::new());
    if asked.is_empty() {
        return Ok((queries, refused));
    }
    let account = filter::account_name(user).filter(|name| name.chars().count() <= MAX_USER_CHARS);
    let Some(account) = account else {
        return Err(Reason::DirectoryUser.at("$user$"));
    };
    let directory_base = rules.directory.as_ref().map_or("", |directory| directory.base_dn.as_str());
    for (rule, text) in asked {
        match Template::parse(text) {
            Ok(template) => queries.push(Query {
                group: rule.id.clone(),
                base: rule.base_dn.as_deref().unwrap_or(directory_base).to_owned(),
                filter: template.fill(account),
            }),
            Err(fault) => {
                let unread = Reason::DirectoryFilter {
                    group: rule.name.clone(),
                    column: fault.column.to_string(),
                    detail: (&fault.fault).into(),
                };
                refused.push((rule.id.clone(), unread.here()));
            }
        }
    }
    Ok((queries, refused))
}

struct Answer {
    server: String,
    found: Vec<String>,
    refused: Refused,
}

/// The first server that answers everything. The problem is the first server's: it is the one meant to be asked.
async fn try_servers(directory: &Directory, queries: Vec<Query>) -> Result<Answer, Problem> {
    let mut first = None;
    for server in &directory.servers {
        match try_server(server, directory, &queries).await {
            Ok((found, refused)) => return Ok(Answer { server: server.clone(), found, refused }),
            Err(fault) => {
                // What the server says may name anybody.
                tracing::info!(server = connection::shown(server), "the directory server cannot be asked");
                tracing::debug!(server = connection::shown(server), %fault, "the directory server's fault");
                let ends = fault.ends_the_search();
                first.get_or_insert_with(|| fault.problem(server));
                if ends {
                    return Err(fault.problem(server));
                }
            }
        }
    }
    Err(first.unwrap_or_else(|| ServerFault::Address.problem("")))
}

async fn try_server(
    server: &str,
    directory: &Directory,
    queries: &[Query],
) -> Result<(Vec<String>, Refused), ServerFault> {
    let connection = connection::open(server, directory, OPERATION_TIMEOUT).await?;
    let ldap = &connection.ldap;
    let mut answers = futures_util::stream::iter(queries.iter().cloned())
        .map(|query| async move {
            let outcome = search(ldap.clone(), &query, server).await?;
            Ok::<_, ServerFault>((query.group, outcome))
        })
        .buffered(WIDTH);
    let (mut found, mut refused) = (Vec::new(), Vec::new());
    while let Some(answer) = answers.next().await {
        match answer? {
            (group, Ok(true)) => found.push(group),
            (_, Ok(false)) => {}
            (group, Err(problem)) => refused.push((group, problem)),
        }
    }
    drop(answers);
    connection.close(Duration::from_millis(500)).await;
    Ok((found, refused))
}

/// Whether the query finds anything. The outer error is the connection's, the inner one this query's alone.
async fn search(mut ldap: Ldap, query: &Query, server: &str) -> Result<Result<bool, Problem>, ServerFault> {
    let options =
        SearchOptions::new().sizelimit(1).timelimit(i32::try_from(OPERATION_TIMEOUT.as_secs()).unwrap_or(5));
    // RFC 4511 §4.5.1.8: no attribute at all. A timeout holds for one operation.
    let answer = ldap
        .with_search_options(options)
        .with_timeout(OPERATION_TIMEOUT)
        .search(&query.base, Scope::Subtree, &query.filter, vec!["1.1"])
        .await;
    let refuse = |detail: Detail| {
        let (server, group) = (server.to_owned(), query.group.clone());
        Ok(Err(Reason::DirectoryQuery { group, detail, server }.here()))
    };
    match answer {
        Ok(ldap3::SearchResult(entries, result)) => match result.rc {
            SUCCESS => Ok(Ok(entries.iter().any(|entry| !entry.is_ref() && !entry.is_intermediate()))),
            SIZE_LIMIT_EXCEEDED if !entries.is_empty() => Ok(Ok(true)),
            rc => refuse(connection::said(rc, &result.text)),
        },
        Err(LdapError::FilterParsing) => {
            refuse(Detail::new("ldap-query-not-encoded", "the query cannot be encoded"))
        }
        Err(LdapError::Timeout { .. }) => {
            Err(ServerFault::Silent { step: Step::Search, within: OPERATION_TIMEOUT })
        }
        Err(error) => Err(ServerFault::Protocol(Detail::verbatim(error))),
    }
}
