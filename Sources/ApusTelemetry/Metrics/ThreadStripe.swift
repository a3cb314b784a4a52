// SPDX-License-Identifier: Apache-2.0

/// Which of several copies of something the current thread uses, so that threads seldom meet at one.
package enum ThreadStripe {
    /// A number below `stripes`, which is a power of two.
    // Threads have stacks of their own: an address in it tells them apart well enough, without a system call.
    package static func index(of stripes: Int) -> Int {
        var probe: UInt8 = 0
        let address = withUnsafeMutablePointer(to: &probe) { UInt64(UInt(bitPattern: $0)) }
        let mixed = (address >> 17) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: mixed >> 40) & (stripes - 1)
    }
}
