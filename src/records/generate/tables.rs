//! The statistics of the generated records: frequencies, lengths and times.

use crate::contract::ConversationType;

/// How often each channel is used.
pub(super) const CHANNELS: &[(ConversationType, u32)] = &[
    (ConversationType::Api, 200),
    (ConversationType::Embed, 110),
    (ConversationType::Widget, 100),
    (ConversationType::WhatsappMeta, 75),
    (ConversationType::Space, 60),
    (ConversationType::Chat, 50),
    (ConversationType::Web, 40),
    (ConversationType::Share, 40),
    (ConversationType::App, 30),
    (ConversationType::Slack, 25),
    (ConversationType::Line, 25),
    (ConversationType::Telegram, 25),
    (ConversationType::Livechat, 22),
    (ConversationType::C, 20),
    (ConversationType::Discord, 20),
    (ConversationType::Wxkf, 20),
    (ConversationType::Instagram, 18),
    (ConversationType::Facebook, 18),
    (ConversationType::Dingtalk, 16),
    (ConversationType::Intercom, 14),
    (ConversationType::AiSearch, 14),
    (ConversationType::WhatsappEngagelab, 12),
    (ConversationType::Zapier, 10),
    (ConversationType::WorkflowChat, 10),
    (ConversationType::ZohoSalesIq, 8),
    (ConversationType::CApps, 8),
    (ConversationType::CWorkflow, 6),
    (ConversationType::SoBot, 4),
];

/// How many questions conversations have: (from, to), both inclusive. About five on average.
pub(super) const LENGTHS: &[((u16, u16), u32)] = &[
    ((1, 1), 280),
    ((2, 2), 200),
    ((3, 3), 140),
    ((4, 5), 160),
    ((6, 10), 130),
    ((11, 25), 70),
    ((26, 60), 14),
    ((61, 150), 6),
];

/// How far apart questions are, in seconds of a busy hour: (from, to). The shortest is more than
/// twice [`SLOWEST_ANSWER_MS`], so that an answer always comes before the next question.
pub(super) const PACES: &[((u64, u64), u32)] =
    &[((45, 240), 30), ((600, 3000), 30), ((5400, 32_000), 40)];

/// Answers take 1.2 s at least, and less than this.
pub(super) const SLOWEST_ANSWER_MS: u64 = 20_000;

/// No conversation ends before this day, so that even the longest begins on day 0 or later.
pub(super) const FIRST_DAY: usize = 3;
