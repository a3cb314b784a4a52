// SPDX-License-Identifier: Apache-2.0

public import Labels

extension Note {
    /// Whether the note has such a label.
    public func has(_ label: Label) -> Bool { labels.contains(label) }
}
