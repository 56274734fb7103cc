//! The account of the server: who is signed in, and sign-ins that run.
//!
//! Relies on `rpc` and `protocol`. Invariant: no key is kept or shown.

mod login;
mod registry;

use serde::{Deserialize, Serialize};

pub use self::login::Login;
pub(crate) use self::registry::{LoginState, Logins};
use crate::{
    excerpt::abridged_debug,
    protocol::{self, GetAccountResponse, PlanType, wire::string_enum},
};

string_enum! {
    /// How the server is signed in.
    pub enum AccountKind {
        /// With an API key of OpenAI, or the variable that holds one.
        ApiKey = "api_key",
        /// With a ChatGPT account.
        Chatgpt = "chatgpt",
        /// With Amazon Bedrock.
        AmazonBedrock = "amazon_bedrock",
        /// With Google Cloud.
        Gcp = "gcp",
    }
}

/// Who the server is signed in as. Returned by [`Client::account`](crate::Client::account).
///
/// Serializes to `{"kind", "email", "plan", "workspace_name", "user_id", "requires_openai_auth"}`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Account {
    /// How it is signed in; `None` if it is not.
    pub kind: Option<AccountKind>,
    /// The address of the ChatGPT account.
    pub email: Option<String>,
    /// The plan of the ChatGPT account.
    pub plan: Option<PlanType>,
    /// The workspace of the ChatGPT account, if it has a name.
    pub workspace_name: Option<String>,
    /// The id of the user, if the server tells it.
    pub user_id: Option<String>,
    /// Whether the configured model provider needs a sign-in with OpenAI. If not, turns run without one, and `kind`
    /// can be `None` although an API key is stored.
    pub requires_openai_auth: bool,
}

abridged_debug!(struct Account { kind, email, plan, workspace_name, user_id, requires_openai_auth });

impl Account {
    /// Whether the server is signed in, or needs no sign-in.
    pub fn is_ready(&self) -> bool {
        self.kind.is_some() || !self.requires_openai_auth
    }
}

impl From<GetAccountResponse> for Account {
    fn from(reply: GetAccountResponse) -> Self {
        let mut account = Account {
            kind: None,
            email: None,
            plan: None,
            workspace_name: None,
            user_id: reply.user_id,
            requires_openai_auth: reply.requires_openai_auth,
        };
        account.kind = reply.account.map(|signed_in| match signed_in {
            protocol::AccountDetails::ApiKey => AccountKind::ApiKey,
            protocol::AccountDetails::Chatgpt(chatgpt) => {
                account.email = chatgpt.email;
                account.plan = Some(chatgpt.plan_type);
                account.workspace_name = chatgpt.workspace_name;
                AccountKind::Chatgpt
            }
            protocol::AccountDetails::AmazonBedrock(_) => AccountKind::AmazonBedrock,
            protocol::AccountDetails::Gcp => AccountKind::Gcp,
            protocol::AccountDetails::Unknown(other) => {
                AccountKind::Other(other.tag().unwrap_or("unknown").to_owned())
            }
        });
        account
    }
}
