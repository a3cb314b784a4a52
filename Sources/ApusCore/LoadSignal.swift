// SPDX-License-Identifier: Apache-2.0

/// Something that tells how loaded a process is: memory, the lag of its event loops, or a measure of yours.
public protocol LoadSignal: Sendable {
    /// What errors call it, such as `memory`.
    var name: String { get }

    /// The present load: 0 is none, 1 is all that the process can bear. Called some times a second.
    func load() -> Double
}
