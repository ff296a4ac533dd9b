extension SchemaFacts {
    /// Messages and enumerations of admissionregistration/v1; the notation is explained at ``SchemaFacts``.
    static let admissionregistrationV1 = """
        =FailurePolicyType Ignore Fail
        =MatchPolicyType Exact Equivalent
        =OperationType * CREATE UPDATE DELETE CONNECT
        =ParameterNotFoundActionType Allow Deny
        =PatchType ApplyConfiguration JSONPatch
        =ReinvocationPolicyType Never IfNeeded
        =ScopeType Cluster Namespaced *
        =SideEffectClass Unknown None Some NoneOnDryRun
        =ValidationAction Deny Warn Audit
        Rule;apiGroups 1 *s r A;apiVersions 2 *s r A;resources 3 *s r A;scope 4 sScopeType ?
        +ValidatingAdmissionPolicy;metadata 1 @ObjectMeta;spec 2 .ValidatingAdmissionPolicySpec r;status 3 .ValidatingAdmissionPolicyStatus
        ValidatingAdmissionPolicyStatus;observedGeneration 1 l;typeChecking 2 .TypeChecking ?;conditions 3 *@Condition K=type
        TypeChecking;expressionWarnings 1 *.ExpressionWarning A
        ExpressionWarning;fieldRef 2 s ! r;warning 3 s ! r
        +ValidatingAdmissionPolicyList;metadata 1 @ListMeta;items 2 *.ValidatingAdmissionPolicy ! r
        ValidatingAdmissionPolicySpec;paramKind 1 .ParamKind ?;matchConstraints 2 .MatchResources ? r;validations 3 *.Validation A;failurePolicy 4 sFailurePolicyType ?;auditAnnotations 5 *.AuditAnnotation A;matchConditions 6 *.MatchCondition K=name M=name;variables 7 *.Variable K=name M=name
        ParamKind;apiVersion 1 s r;kind 2 s r
        Validation;expression 1 s ! r;message 2 s;reason 3 smeta/v1.StatusReason ?;messageExpression 4 s
        Variable;name 1 s ! r;expression 2 s ! r
        AuditAnnotation;key 1 s ! r;valueExpression 2 s ! r
        +ValidatingAdmissionPolicyBinding;metadata 1 @ObjectMeta;spec 2 .ValidatingAdmissionPolicyBindingSpec r
        +ValidatingAdmissionPolicyBindingList;metadata 1 @ListMeta;items 2 *.ValidatingAdmissionPolicyBinding ! r
        ValidatingAdmissionPolicyBindingSpec;policyName 1 s r;paramRef 2 .ParamRef ?;matchResources 3 .MatchResources ?;validationActions 4 *sValidationAction r S
        ParamRef;name 1 s r;namespace 2 s;selector 3 @LabelSelector ?;parameterNotFoundAction 4 sParameterNotFoundActionType ? r
        MatchResources;namespaceSelector 1 @LabelSelector ?;objectSelector 2 @LabelSelector ?;resourceRules 3 *.NamedRuleWithOperations A;excludeResourceRules 4 *.NamedRuleWithOperations A;matchPolicy 7 sMatchPolicyType ?
        NamedRuleWithOperations;resourceNames 1 *s A;+ 2 .RuleWithOperations
        +ValidatingWebhookConfiguration;metadata 1 @ObjectMeta;webhooks 2 *.ValidatingWebhook K=name M=name
        +ValidatingWebhookConfigurationList;metadata 1 @ListMeta;items 2 *.ValidatingWebhookConfiguration ! r
        +MutatingWebhookConfiguration;metadata 1 @ObjectMeta;webhooks 2 *.MutatingWebhook K=name M=name
        +MutatingWebhookConfigurationList;metadata 1 @ListMeta;items 2 *.MutatingWebhookConfiguration ! r
        ValidatingWebhook;name 1 s ! r;clientConfig 2 .WebhookClientConfig ! r;rules 3 *.RuleWithOperations r A;failurePolicy 4 sFailurePolicyType ?;matchPolicy 9 sMatchPolicyType ?;namespaceSelector 5 @LabelSelector ?;objectSelector 10 @LabelSelector ?;sideEffects 6 sSideEffectClass ? ! r;timeoutSeconds 7 i ?;admissionReviewVersions 8 *s ! r A;matchConditions 11 *.MatchCondition K=name M=name
        MutatingWebhook;name 1 s ! r;clientConfig 2 .WebhookClientConfig ! r;rules 3 *.RuleWithOperations r A;failurePolicy 4 sFailurePolicyType ?;matchPolicy 9 sMatchPolicyType ?;namespaceSelector 5 @LabelSelector ?;objectSelector 11 @LabelSelector ?;sideEffects 6 sSideEffectClass ? ! r;timeoutSeconds 7 i ?;admissionReviewVersions 8 *s ! r A;reinvocationPolicy 10 sReinvocationPolicyType ?;matchConditions 12 *.MatchCondition K=name M=name
        +MutatingAdmissionPolicy;metadata 1 @ObjectMeta;spec 2 .MutatingAdmissionPolicySpec r
        +MutatingAdmissionPolicyList;metadata 1 @ListMeta;items 2 *.MutatingAdmissionPolicy ! r
        MutatingAdmissionPolicySpec;paramKind 1 .ParamKind ?;matchConstraints 2 .MatchResources ? r;variables 3 *.Variable A;mutations 4 *.Mutation A;failurePolicy 5 sFailurePolicyType ?;matchConditions 6 *.MatchCondition K=name M=name;reinvocationPolicy 7 sReinvocationPolicyType r
        Mutation;patchType 2 sPatchType ! r;applyConfiguration 3 .ApplyConfiguration ? r;jsonPatch 4 .JSONPatch ? r
        ApplyConfiguration;expression 1 s r
        JSONPatch;expression 1 s r
        +MutatingAdmissionPolicyBinding;metadata 1 @ObjectMeta;spec 2 .MutatingAdmissionPolicyBindingSpec r
        +MutatingAdmissionPolicyBindingList;metadata 1 @ListMeta;items 2 *.MutatingAdmissionPolicyBinding ! r
        MutatingAdmissionPolicyBindingSpec;policyName 1 s r;paramRef 2 .ParamRef ?;matchResources 3 .MatchResources ?
        RuleWithOperations;operations 1 *sOperationType r A;+ 2 .Rule
        WebhookClientConfig;url 3 s ?;service 1 .ServiceReference ?;caBundle 2 y
        ServiceReference;namespace 1 s ! r;name 2 s ! r;path 3 s ?;port 4 i ?
        MatchCondition;name 1 s ! r;expression 2 s ! r
        """
}
