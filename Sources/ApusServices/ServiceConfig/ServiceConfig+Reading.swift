// SPDX-License-Identifier: Apache-2.0

public import ApusCore

extension ServiceConfig {
    /// The config in a JSON document. Fields that are not known are ignored.
    ///
    /// - Parameters:
    ///   - name: what errors call the document: a file's path, for example.
    ///   - balancers: the balancers that `loadBalancingConfig` may name.
    /// - Throws: INVALID_ARGUMENT with the document's name, line, column (of bytes) and what is wrong there.
    public init(
        reading document: [UInt8], name: String = "service config", balancers: BalancerRegistry = .standard
    ) throws(RPCError) {
        self = try ConfigDocument.read(document, name: name, maximumBytes: Self.maximumBytes) {
            (root) throws(ConfigProblem) in try Self.read(root, balancers)
        }
    }

    private static func read(_ root: ConfigValue, _ balancers: BalancerRegistry) throws(ConfigProblem) -> ServiceConfig
    {
        var config = ServiceConfig()
        config.methods = try methods(root)
        config.throttling = try throttling(root)
        config.balancer = try balancers.choose(root)
        config.healthCheckService = try root.member("healthCheckConfig")?.member("serviceName")?.string()
        if let own = try root.member("apus") { config.protection = try Protection(reading: own) }
        return config
    }

    private static func throttling(_ root: ConfigValue) throws(ConfigProblem) -> RetryThrottling? {
        guard let value = try root.member("retryThrottling") else { return nil }
        let ratio = try value.required("tokenRatio")
        // Digits behind the third are dropped: less than a thousandth is nothing.
        guard try ratio.number() >= 0.001 else { throw ratio.problem("must be at least 0.001") }
        return RetryThrottling(
            maximumTokens: try value.required("maxTokens").integer(in: 1...1000), tokenRatio: try ratio.number())
    }

    private static func methods(_ root: ConfigValue) throws(ConfigProblem) -> [MethodConfig] {
        var seen: Set<Name> = []
        var methods: [MethodConfig] = []
        for element in try root.member("methodConfig")?.elements() ?? [] {
            var method = try settings(element)
            for value in try element.member("name")?.elements() ?? [] {
                let name = try self.name(value)
                guard seen.insert(name).inserted else { throw value.problem("occurs twice in the document") }
                method.names.append(name)
            }
            methods.append(method)
        }
        return methods
    }

    private static func name(_ value: ConfigValue) throws(ConfigProblem) -> Name {
        let service = try value.member("service")?.string() ?? ""
        let method = try value.member("method")?.string() ?? ""
        guard !service.isEmpty else {
            guard method.isEmpty else { throw value.problem("has a method without a service") }
            return .all
        }
        return method.isEmpty ? .service(service) : .method(service: service, name: method)
    }

    private static func settings(_ value: ConfigValue) throws(ConfigProblem) -> MethodConfig {
        var method = MethodConfig()
        let bytes = 0...Int(UInt32.max)
        method.timeout = try value.member("timeout")?.duration(orZero: true)
        method.waitForReady = try value.member("waitForReady")?.bool()
        method.maximumRequestBytes = try value.member("maxRequestMessageBytes")?.integer(in: bytes)
        method.maximumResponseBytes = try value.member("maxResponseMessageBytes")?.integer(in: bytes)
        method.tries = try tries(value)
        guard let own = try value.member("apus") else { return method }
        method.tryTimeout = try own.member("perTryTimeout")?.duration()
        method.totalTime = try own.member("totalTime")?.duration()
        return method
    }

    private static func tries(_ value: ConfigValue) throws(ConfigProblem) -> Tries {
        let retry = try value.member("retryPolicy")
        guard let hedge = try value.member("hedgingPolicy") else { return try retry.map(Self.retry) ?? .once }
        guard retry == nil else { throw hedge.problem("stands besides a retryPolicy") }
        return .hedge(
            maximumAttempts: try attempts(hedge),
            delay: try hedge.member("hedgingDelay")?.duration(orZero: true) ?? .zero,
            nonFatal: try hedge.member("nonFatalStatusCodes")?.codes() ?? [])
    }

    private static func retry(_ value: ConfigValue) throws(ConfigProblem) -> Tries {
        let multiplier = try value.required("backoffMultiplier")
        guard try multiplier.number() > 0 else { throw multiplier.problem("must be more than zero") }
        let codes = try value.required("retryableStatusCodes")
        guard try !codes.codes().isEmpty else { throw codes.problem("is empty") }
        return .retry(
            maximumAttempts: try attempts(value), initialBackoff: try value.required("initialBackoff").duration(),
            maximumBackoff: try value.required("maxBackoff").duration(), multiplier: try multiplier.number(),
            codes: try codes.codes())
    }

    private static func attempts(_ value: ConfigValue) throws(ConfigProblem) -> Int {
        min(try value.required("maxAttempts").integer(in: 2...Int(UInt32.max)), mostAttempts)
    }
}
