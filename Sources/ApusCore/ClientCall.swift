// SPDX-License-Identifier: Apache-2.0

/// A call on its way through a channel's interceptors: serialized, described, with no peer chosen yet.
public struct ClientCall: Sendable {
    // What most calls keep from their start to their end, behind one reference: calls are copied at every interceptor.
    private var facts: Facts
    /// The request.
    public var request: MessageBody
    /// When the call ends, all its tries together.
    public var deadline: CallDeadline
    /// The number of this try, 1 for the first.
    public var attempt = 1
    /// What discovery found.
    public var candidates: Candidates?
    /// Endpoints at which this call failed already: a balancer avoids them while others are left.
    public var avoided: [EndpointHandle] = []
    /// The endpoint that a balancer chose: where the transport sends the call.
    public var endpoint: EndpointHandle?
    // Behind one reference, too.
    var observation: CallRecord?

    /// A call as a channel starts it.
    public init(
        method: MethodDescriptor, target: String, request: MessageBody, metadata: Metadata = Metadata(),
        deadline: CallDeadline = .none, waitForReady: Bool = false, maximumResponseBytes: Int? = nil,
        compression: Compression? = nil, observer: (any Observer)? = nil
    ) {
        facts = Facts(
            method: method, target: target, metadata: metadata, waitForReady: waitForReady,
            maximumResponseBytes: maximumResponseBytes, compression: compression)
        self.request = request
        self.deadline = deadline
        observation = observer.map(Self.unmeasured)
    }

    /// The method.
    public var method: MethodDescriptor { facts.method }
    /// The name of the service's channel: what discovery looks up.
    public var target: String { facts.target }
    /// Metadata to send.
    public var metadata: Metadata {
        get { facts.metadata }
        _modify {
            own()
            yield &facts.metadata
        }
    }
    /// Whether the call waits for an endpoint that can be reached.
    public var waitForReady: Bool {
        get { facts.waitForReady }
        set {
            own()
            facts.waitForReady = newValue
        }
    }
    /// The largest response message in bytes; nil takes the transport's limit.
    public var maximumResponseBytes: Int? {
        get { facts.maximumResponseBytes }
        set {
            own()
            facts.maximumResponseBytes = newValue
        }
    }
    /// How the transport compresses requests; interceptors see them as they are. nil: not at all.
    public var compression: Compression? {
        get { facts.compression }
        set {
            own()
            facts.compression = newValue
        }
    }
    /// When the call began, if somebody has looked at a clock.
    package var started: MonotonicInstant? {
        get { facts.started }
        set {
            own()
            facts.started = newValue
        }
    }
    /// Who is told of the call's events.
    public var observer: (any Observer)? {
        get { observation?.observer }
        set { observation = newValue.map { observation?.replacing($0) ?? Self.unmeasured($0) } }
    }

    // Told of events alone: who measures is the channel.
    private static func unmeasured(_ observer: any Observer) -> CallRecord {
        CallRecord(CallRecord.Watch(observer, clock: nil))
    }

    private mutating func own() {
        if !isKnownUniquelyReferenced(&facts) { facts = facts.copy() }
    }

    // Sendable: changed only by the one value that refers to it.
    private final class Facts: @unchecked Sendable {
        let method: MethodDescriptor
        let target: String
        @exclusivity(unchecked) var metadata: Metadata
        @exclusivity(unchecked) var waitForReady: Bool
        @exclusivity(unchecked) var maximumResponseBytes: Int?
        @exclusivity(unchecked) var compression: Compression?
        @exclusivity(unchecked) var started: MonotonicInstant?

        init(
            method: MethodDescriptor, target: String, metadata: Metadata, waitForReady: Bool,
            maximumResponseBytes: Int?, compression: Compression?
        ) {
            self.method = method
            self.target = target
            self.metadata = metadata
            self.waitForReady = waitForReady
            self.maximumResponseBytes = maximumResponseBytes
            self.compression = compression
        }

        func copy() -> Facts {
            let copy = Facts(
                method: method, target: target, metadata: metadata, waitForReady: waitForReady,
                maximumResponseBytes: maximumResponseBytes, compression: compression)
            copy.started = started
            return copy
        }
    }
}

extension ClientCall {
    /// Whether it is for a method of a target: asked of each call, so nothing is counted.
    package func isFor(_ method: MethodDescriptor, of target: String) -> Bool {
        facts.method == method && facts.target == target
    }

    /// A hash of its method and target.
    package var subjectHash: Int { facts.method.pathHash ^ Self.hash(facts.target) }

    // Targets are the process' own: nobody chooses them so that they collide.
    private static func hash(_ text: String) -> Int {
        text.utf8.withContiguousStorageIfAvailable { bytes in
            bytes.reduce(bytes.count) { ($0 &* 31) &+ Int($1) }
        } ?? text.hashValue
    }

    /// Balancers pick this endpoint only when no other is left.
    package mutating func avoid(_ handle: EndpointHandle?) {
        if let handle, !avoided.contains(handle) { avoided.append(handle) }
    }
}
