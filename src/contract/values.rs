//! The vendor's enum values.

use super::{Source, seen, source};

macro_rules! conversation_types {
    ($($variant:ident $name:literal $meaning:literal $source:expr;)*) => {
        /// The channel a conversation came through. `ALL` is a filter, never a type.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "the table below describes each variant")]
        #[repr(u8)]
        pub enum ConversationType { $($variant),* }

        /// Every type, in the vendor's order: (type, meaning, source).
        pub const CONVERSATION_TYPES: &[(ConversationType, &str, Source)] =
            &[$((ConversationType::$variant, $meaning, $source)),*];

        impl ConversationType {
            /// The value on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// The type with this name on the wire, compared exactly.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

const SOFTWARE: Source = seen("the vendor's own software");

conversation_types! {
    Space "SPACE" "workspace" source::LIST;
    Api "API" "API call" source::LIST;
    Embed "EMBED" "iframe or bubble widget" source::LIST_OLD;
    Share "SHARE" "shared link" source::LIST_OLD;
    WhatsappMeta "WHATSAPP_META" "WhatsApp by Meta" source::LIST_OLD;
    WhatsappEngagelab "WHATSAPP_ENGAGELAB" "WhatsApp by EngageLab" source::LIST_OLD;
    Dingtalk "DINGTALK" "DingTalk robot" source::LIST_OLD;
    Discord "DISCORD" "Discord (the vendor doc swaps key and value)" source::LIST_OLD;
    Slack "SLACK" "Slack (the vendor doc swaps key and value)" source::LIST_OLD;
    Zapier "ZAPIER" "Zapier (the vendor doc swaps key and value)" source::LIST_OLD;
    C "C" "consumer" source::LIST_NEW;
    Chat "CHAT" "chat" source::LIST_NEW;
    CWorkflow "C_WORKFLOW" "consumer workflow" source::LIST_NEW;
    CApps "C_APPS" "consumer apps" source::LIST_NEW;
    Widget "WIDGET" "widget" source::LIST_NEW;
    AiSearch "AI_SEARCH" "AI search" source::LIST_NEW;
    Wxkf "WXKF" "WeChat customer service" source::LIST_NEW;
    Telegram "TELEGRAM" "Telegram" source::LIST_NEW;
    Livechat "LIVECHAT" "LiveChat" source::LIST_NEW;
    Line "LINE" "LINE" source::LIST_NEW;
    Instagram "INSTAGRAM" "Instagram" source::LIST_NEW;
    Facebook "FACEBOOK" "Facebook" source::LIST_NEW;
    SoBot "SO_BOT" "Sobot" source::LIST_NEW;
    ZohoSalesIq "ZOHO_SALES_IQ" "Zoho SalesIQ" source::LIST_NEW;
    Intercom "INTERCOM" "Intercom" source::LIST_NEW;
    Web "WEB" "web" SOFTWARE;
    App "APP" "app" SOFTWARE;
    WorkflowChat "WORKFLOW_CHAT" "workflow chat" SOFTWARE;
}

/// The rating of an answer. `ALL` is a filter, never a rating.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Feedback {
    /// Not rated.
    None,
    /// Liked.
    Good,
    /// Disliked.
    Bad,
}

impl Feedback {
    /// Every rating, in the order of the vendor's page.
    pub const ALL: [Self; 3] = [Self::None, Self::Good, Self::Bad];

    /// The value in a Q&A row and in its filter.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Good => "GOOD",
            Self::Bad => "BAD",
        }
    }

    /// The value in a v2 message; empty if there is no rating.
    #[must_use]
    pub const fn v2_name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Good => "POSITIVE",
            Self::Bad => "NEGATIVE",
        }
    }

    /// The rating with this name in a Q&A row, compared exactly.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|feedback| feedback.name() == name)
    }
}

/// The word that both filters use for "no filter".
pub(super) const NO_FILTER: &str = "ALL";

/// `conversation_type` of a list query: `ALL` (`None`), or one type.
pub type TypeFilter = Option<ConversationType>;

/// `user_feedback` of a Q&A query: `ALL` (`None`), or one rating.
pub type FeedbackFilter = Option<Feedback>;

/// The author of a message, in both spellings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MessageType {
    Question,
    Answer,
}

impl MessageType {
    /// Both.
    #[cfg(feature = "cli")]
    pub(crate) const ALL: [Self; 2] = [Self::Question, Self::Answer];

    /// `message_type` of a v1 message.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Question => "QUESTION",
            Self::Answer => "ANSWER",
        }
    }

    /// `role` of a v2 message.
    pub(crate) const fn role(self) -> &'static str {
        match self {
            Self::Question => "user",
            Self::Answer => "assistant",
        }
    }
}
