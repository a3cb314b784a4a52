// SPDX-License-Identifier: Apache-2.0

import Apus

/// The words `[ADDRESS] [SYMBOL]`, of which files make the first unnecessary.
struct QueryWords {
    enum Lone {
        /// With files one word is a symbol unless it looks like an address.
        case optional
        /// With files one word is a symbol.
        case preferred
    }

    let address: String?
    let symbol: String?

    init(_ words: [String], isLocal: Bool, takesSymbol: Lone) throws(Mistake) {
        guard words.count <= 2 else { throw Mistake("'\(words[2])' is one word too many: an address and a name") }
        if words.count == 2 {
            (address, symbol) = (words[0], words[1])
        } else if isLocal, let word = words.first {
            let isAddress = takesSymbol == .optional && Endpoint.Address(word) != nil
            (address, symbol) = isAddress ? (word, nil) : (nil, word)
        } else {
            (address, symbol) = (words.first, nil)
        }
    }
}
