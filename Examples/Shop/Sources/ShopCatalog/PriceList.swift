// SPDX-License-Identifier: Apache-2.0

public import Apus

/// What articles cost. The shop sells whatever it is asked for, at a price that follows from the name.
public enum PriceList {
    /// The price of one in cents, 100 to 9,999, the same in every process and for ever.
    public static func priceCents(sku: String) -> Int64 {
        // FNV-1a.
        let hash = sku.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
        return 100 + Int64(hash % 9_900)
    }

    /// The price of some.
    ///
    /// - Throws: INVALID_ARGUMENT for a sku of no or more than 64 bytes, and a quantity outside of 1...10,000.
    public static func total(sku: String, quantity: Int32) throws(RPCError) -> Int64 {
        try check(sku: sku)
        guard (1...10_000).contains(quantity) else {
            throw RPCError(.invalidArgument, "a quantity is 1 to 10,000")
        }
        return priceCents(sku: sku) * Int64(quantity)
    }

    /// Whether an article can have that name.
    ///
    /// - Throws: INVALID_ARGUMENT for a sku of no or more than 64 bytes.
    public static func check(sku: String) throws(RPCError) {
        guard (1...64).contains(sku.utf8.count) else {
            throw RPCError(.invalidArgument, "an article's sku has 1 to 64 bytes")
        }
    }
}
