// SPDX-License-Identifier: Apache-2.0

package import ApusHTTP2

/// Memory that is out at one allocation, or from one on. What is not given back it frees at its end.
package final class ScarceMemory: HTTP2Memory {
    private let failing: Int
    private let stays: Bool
    private var allocations = 0
    /// What was not given back.
    package private(set) var blocks: Set<UnsafeMutableRawPointer> = []
    /// Whether an allocation failed.
    package private(set) var wasOut = false
    /// Blocks that were given back and were not there.
    package private(set) var strangeReleases = 0

    /// - Parameters:
    ///   - failing: the allocation that fails, from 0.
    ///   - stays: whether those after it fail too.
    package init(failing: Int, stays: Bool) {
        self.failing = failing
        self.stays = stays
    }

    // Nobody uses a session's blocks after the session's end.
    deinit { for block in blocks { super.release(block) } }

    private func isOut() -> Bool {
        defer { allocations += 1 }
        guard allocations == failing || stays && allocations > failing else { return false }
        wasOut = true
        return true
    }

    override package func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
        guard !isOut(), let block = super.allocate(size) else { return nil }
        blocks.insert(block)
        return block
    }

    override package func reallocate(_ block: UnsafeMutableRawPointer?, _ size: Int) -> UnsafeMutableRawPointer? {
        guard !isOut(), let new = super.reallocate(block, size) else { return nil }
        if let block { blocks.remove(block) }
        blocks.insert(new)
        return new
    }

    override package func release(_ block: UnsafeMutableRawPointer) {
        guard blocks.remove(block) != nil else { return strangeReleases += 1 }
        super.release(block)
    }
}
