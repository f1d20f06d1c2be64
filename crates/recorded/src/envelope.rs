//! The fields that every `BusEvent` has; the payload, a field from 101 up, is not looked into.

/// `BusEvent` without its payload.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Envelope {
    /// `"HEIGHT-SEQ"`.
    #[prost(string, tag = "1")]
    pub(crate) id: String,
    /// Hex of the block's hash.
    #[prost(string, tag = "2")]
    pub(crate) block: String,
    /// The enum `type`: read as `int64`, so that a number out of an enum's range is seen, not cut.
    #[prost(int64, tag = "3")]
    pub(crate) kind: i64,
    /// Always 1.
    #[prost(uint32, tag = "4")]
    pub(crate) version: u32,
    /// The name of the network.
    #[prost(string, tag = "5")]
    pub(crate) chain_id: String,
    /// Hex of the transaction that caused the event, or of the block's hash.
    #[prost(string, tag = "6")]
    pub(crate) tx_hash: String,
}
