//! What is done to a disk, and how often.

/// A call of [`Storage`](crate::Storage) or [`File`](crate::File).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// [`Storage::list`](crate::Storage::list)
    List,
    /// [`Storage::create`](crate::Storage::create)
    Create,
    /// [`Storage::open`](crate::Storage::open)
    Open,
    /// [`Storage::open_to_read`](crate::Storage::open_to_read)
    OpenToRead,
    /// [`Storage::rename`](crate::Storage::rename)
    Rename,
    /// [`Storage::remove`](crate::Storage::remove)
    Remove,
    /// [`Storage::sync`](crate::Storage::sync)
    SyncDirectory,
    /// [`Storage::lock`](crate::Storage::lock)
    Lock,
    /// [`File::append`](crate::File::append)
    Append,
    /// [`File::write_at`](crate::File::write_at)
    WriteAt,
    /// [`File::read_at`](crate::File::read_at)
    ReadAt,
    /// [`File::size`](crate::File::size)
    Size,
    /// [`File::truncate`](crate::File::truncate)
    Truncate,
    /// [`File::sync`](crate::File::sync)
    Sync,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::List,
        Self::Create,
        Self::Open,
        Self::OpenToRead,
        Self::Rename,
        Self::Remove,
        Self::SyncDirectory,
        Self::Lock,
        Self::Append,
        Self::WriteAt,
        Self::ReadAt,
        Self::Size,
        Self::Truncate,
        Self::Sync,
    ];
}

/// What a [`SimulatedDisk`](super::SimulatedDisk) has done; what failed is not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls of [`File::append`](crate::File::append).
    pub appends: u64,
    /// Calls of [`File::sync`](crate::File::sync).
    pub syncs: u64,
    /// Calls of [`Storage::sync`](crate::Storage::sync).
    pub directory_syncs: u64,
    /// Bytes that were written, by whichever call.
    pub bytes: u64,
}
