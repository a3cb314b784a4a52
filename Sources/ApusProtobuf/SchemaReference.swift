// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Stands for a table that is made after the tables that refer to it: tables made at run time may refer to each
/// other in circles.
public final class SchemaReference: Sendable {
    /// Whether the message is a group on the wire.
    public let isGroup: Bool
    // Set once, by the pool that makes the tables, before any of them is used.
    private let target = Mutex<MessageSchema?>(nil)

    init(isGroup: Bool) { self.isGroup = isGroup }

    /// The table; nil until it is made.
    public var schema: MessageSchema? { target.withLock { $0 } }

    func set(_ schema: MessageSchema) { target.withLock { $0 = schema } }
}
