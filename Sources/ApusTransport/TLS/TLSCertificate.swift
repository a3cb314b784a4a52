// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// Where text in PEM comes from: a file, which may change while the process runs, or bytes.
public enum PEMSource: Sendable, Hashable {
    /// A file, read now and whenever it has changed.
    case file(String)
    /// The text itself.
    case bytes([UInt8])

    /// What people call it.
    var name: String {
        switch self {
        case .file(let path): path
        case .bytes: "the given PEM"
        }
    }

    var isFile: Bool {
        switch self {
        case .file: true
        case .bytes: false
        }
    }

    func read() throws(RPCError) -> [UInt8] {
        switch self {
        case .file(let path): try SystemCalls.read(path)
        case .bytes(let bytes): bytes
        }
    }
}

/// A certificate with what proves that it is ours.
public struct TLSCertificate: Sendable, Hashable {
    /// The certificate in PEM, followed by those of the authorities that lead from it to a root.
    public var chain: PEMSource
    /// Its private key in PEM, without a password.
    public var privateKey: PEMSource

    /// A certificate from anywhere.
    public init(chain: PEMSource, privateKey: PEMSource) {
        self.chain = chain
        self.privateKey = privateKey
    }

    /// A certificate in two files, which are read again when they change.
    public static func files(chain: String, privateKey: String) -> TLSCertificate {
        TLSCertificate(chain: .file(chain), privateKey: .file(privateKey))
    }

    /// A certificate in memory.
    public static func pem(chain: String, privateKey: String) -> TLSCertificate {
        TLSCertificate(chain: .bytes(Array(chain.utf8)), privateKey: .bytes(Array(privateKey.utf8)))
    }
}

/// Which authorities are trusted.
public enum TLSRoots: Sendable, Hashable {
    /// Those of the system. `SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured.
    case system
    /// Those in the given PEM, and no others.
    case only([PEMSource])

    /// The authorities in a file, and no others.
    public static func file(_ path: String) -> TLSRoots { .only([.file(path)]) }

    /// The authorities in a text in PEM, and no others.
    public static func pem(_ text: String) -> TLSRoots { .only([.bytes(Array(text.utf8))]) }

    var sources: [PEMSource] {
        switch self {
        case .system: []
        case .only(let sources): sources
        }
    }
}

/// What happened around TLS that no call is told of.
public enum TLSEvent: Sendable, Hashable {
    /// A client did not get through the handshake; `reason` is one line for people.
    case handshakeFailed(peer: Endpoint.Address, reason: String)
    /// Files have changed: new connections use what is in them now.
    case reloaded
    /// Files have changed but cannot be used: new connections use what was there before.
    case reloadFailed(reason: String)
    /// The key log takes no more, because its disk is full, say: connections go on. Told once, until it does again.
    case keyLogFailed(reason: String)
    /// The key log takes lines again; so many were lost.
    case keyLogResumed(lost: Int)
}
