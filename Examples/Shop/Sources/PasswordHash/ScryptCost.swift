// SPDX-License-Identifier: Apache-2.0

/// What one password hash costs. Source: RFC 7914, section 2.
///
/// Time grows with N × r × p, memory is about 128 × N × r bytes. Whoever has a stolen database pays this for each
/// guess, and the server for each registration and login.
public struct ScryptCost: Sendable, Hashable {
    /// N: a power of two from 2 to 2^20.
    public let n: Int
    /// The block size r, 1 to 32.
    public let blockSize: Int
    /// The parallelization p, 1 to 16.
    public let parallelization: Int

    /// N = 2^14, r = 8, p = 1: 16 MiB and some 50 ms on a server of today. A shop with few logins a second can afford
    /// 2^17, as OWASP advises; the demo registers many users on two cores and cannot.
    public static let standard = ScryptCost(validated: 1 << 14, blockSize: 8, parallelization: 1)

    /// N = 2^4: no protection at all, for tests.
    public static let test = ScryptCost(validated: 1 << 4, blockSize: 1, parallelization: 1)

    /// A cost within the limits; nil outside of them.
    public init?(n: Int, blockSize: Int = 8, parallelization: Int = 1) {
        guard (2...1 << 20).contains(n), n.nonzeroBitCount == 1, (1...32).contains(blockSize),
            (1...16).contains(parallelization)
        else { return nil }
        self.init(validated: n, blockSize: blockSize, parallelization: parallelization)
    }

    private init(validated n: Int, blockSize: Int, parallelization: Int) {
        self.n = n
        self.blockSize = blockSize
        self.parallelization = parallelization
    }

    // What EVP_PBE_scrypt(3) counts against its `maxmem`, with room for its own bookkeeping.
    var memoryLimit: UInt64 { UInt64(128 * blockSize * (n + parallelization + 2) + 4096) }
}

extension ScryptCost: LosslessStringConvertible {
    /// As in `N=16384,r=8,p=1`.
    public var description: String { "N=\(n),r=\(blockSize),p=\(parallelization)" }

    /// Reads what ``description`` writes; nil for anything else.
    public init?(_ description: String) {
        let parts = description.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].hasPrefix("N="), parts[1].hasPrefix("r="), parts[2].hasPrefix("p="),
            let n = Int(parts[0].dropFirst(2)), let blockSize = Int(parts[1].dropFirst(2)),
            let parallelization = Int(parts[2].dropFirst(2))
        else { return nil }
        self.init(n: n, blockSize: blockSize, parallelization: parallelization)
    }
}
