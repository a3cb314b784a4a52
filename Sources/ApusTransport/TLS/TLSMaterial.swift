// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// What certificates and roots are made of: their texts as they were read at one moment.
struct TLSMaterial: Equatable {
    struct Text: Equatable {
        let name: String
        let bytes: [UInt8]

        init(_ source: PEMSource) throws(RPCError) {
            name = source.name
            bytes = try source.read()
        }
    }

    struct Pair: Equatable {
        let chain: Text
        let privateKey: Text
    }

    let certificates: [Pair]
    let roots: [Text]

    /// - Throws: INVALID_ARGUMENT for a file that cannot be read.
    init(_ certificates: [TLSCertificate], _ roots: TLSRoots?) throws(RPCError) {
        var pairs: [Pair] = []
        for certificate in certificates {
            pairs.append(Pair(chain: try Text(certificate.chain), privateKey: try Text(certificate.privateKey)))
        }
        var texts: [Text] = []
        for source in roots?.sources ?? [] { texts.append(try Text(source)) }
        self.certificates = pairs
        self.roots = texts
    }
}
