// SPDX-License-Identifier: Apache-2.0

/// The choice of what compresses a response: it stands as soon as the head or something compressed has left, since the
/// head names it for all messages.
struct ResponseEncoding: Sendable {
    /// The compressor's index; nil when messages go as they are.
    private(set) var compressor: Int?
    /// Messages with fewer bytes go as they are.
    private(set) var minimum = 0
    private var isFixed = false

    /// Takes a choice, unless it is too late, and tells whether it did.
    mutating func choose(_ compressor: Int?, minimum: Int = 0) -> Bool {
        guard !isFixed else { return false }
        self.compressor = compressor
        self.minimum = minimum
        return true
    }

    /// Ends the time of choosing.
    mutating func fixed() -> ResponseEncoding {
        isFixed = true
        return self
    }
}
