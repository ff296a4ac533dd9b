extension SchemaFacts {
    /// Messages and enumerations of apiextensions/v1; the notation is explained at ``SchemaFacts``.
    static let apiextensionsV1 = """
        =ConditionStatus True False Unknown
        =ConversionStrategyType None Webhook
        =CustomResourceDefinitionConditionType Established NamesAccepted NonStructuralSchema Terminating KubernetesAPIApprovalPolicyConformant StorageMigrating
        =FieldValueErrorReason FieldValueRequired FieldValueDuplicate FieldValueInvalid FieldValueForbidden
        =ResourceScope Cluster Namespaced
        CustomResourceDefinitionSpec;group 1 s ! r;names 3 .CustomResourceDefinitionNames ! r;scope 4 sResourceScope ! r;versions 7 *.CustomResourceDefinitionVersion ! r A;conversion 9 .CustomResourceConversion ?;preserveUnknownFields 10 b
        CustomResourceConversion;strategy 1 sConversionStrategyType ! r;webhook 2 .WebhookConversion ?
        WebhookConversion;clientConfig 2 .WebhookClientConfig ?;conversionReviewVersions 3 *s ! r A
        WebhookClientConfig;url 3 s ?;service 1 .ServiceReference ?;caBundle 2 y
        ServiceReference;namespace 1 s ! r;name 2 s ! r;path 3 s ?;port 4 i ?
        CustomResourceDefinitionVersion;name 1 s ! r;served 2 b ! r;storage 3 b ! r;deprecated 7 b;deprecationWarning 8 s ?;schema 4 .CustomResourceValidation ?;subresources 5 .CustomResourceSubresources ?;additionalPrinterColumns 6 *.CustomResourceColumnDefinition A;selectableFields 9 *.SelectableField A
        SelectableField;jsonPath 1 s ! r
        CustomResourceColumnDefinition;name 1 s ! r;type 2 s ! r;format 3 s;description 4 s;priority 5 i;jsonPath 6 s ! r
        CustomResourceDefinitionNames;plural 1 s ! r;singular 2 s;shortNames 3 *s A;kind 4 s ! r;listKind 5 s;categories 6 *s A
        CustomResourceDefinitionCondition;type 1 sCustomResourceDefinitionConditionType ! r;status 2 sConditionStatus ! r;lastTransitionTime 3 t;reason 4 s;message 5 s;observedGeneration 6 l
        CustomResourceDefinitionStatus;conditions 1 *.CustomResourceDefinitionCondition ! K=type;acceptedNames 2 .CustomResourceDefinitionNames !;storedVersions 3 *s ! A;observedGeneration 4 l
        +CustomResourceDefinition;metadata 1 @ObjectMeta;spec 2 .CustomResourceDefinitionSpec ! r;status 3 .CustomResourceDefinitionStatus
        +CustomResourceDefinitionList;metadata 1 @ListMeta;items 2 *.CustomResourceDefinition ! r
        CustomResourceValidation;openAPIV3Schema 1 .JSONSchemaProps ?
        CustomResourceSubresources;status 1 J ?;scale 2 .CustomResourceSubresourceScale ?
        CustomResourceSubresourceScale;specReplicasPath 1 s ! r;statusReplicasPath 2 s ! r;labelSelectorPath 3 s ?
        +ConversionReview;request 1 .ConversionRequest ?;response 2 .ConversionResponse ?
        ConversionRequest;uid 1 s ! r;desiredAPIVersion 2 s ! r;objects 3 *r ! r A
        ConversionResponse;uid 1 s ! r;convertedObjects 2 *r ! r A;result 3 @Status ! r
        JSONSchemaProps;id 1 s r;$schema 2 J r;$ref 3 s ? r;description 4 s r;type 5 s r;format 6 s r;title 7 s r;default 8 J ? r;maximum 9 d ? r;exclusiveMaximum 10 b r;minimum 11 d ? r;exclusiveMinimum 12 b r;maxLength 13 l ? r;minLength 14 l ? r;pattern 15 s r;maxItems 16 l ? r;minItems 17 l ? r;uniqueItems 18 b r;multipleOf 19 d ? r;enum 20 *J r A;maxProperties 21 l ? r;minProperties 22 l ? r;required 23 *s r A;items 24 J ? r;allOf 25 *.JSONSchemaProps r A;oneOf 26 *.JSONSchemaProps r A;anyOf 27 *.JSONSchemaProps r A;not 28 .JSONSchemaProps ? r;properties 29 {.JSONSchemaProps r;additionalProperties 30 J ? r;patternProperties 31 {.JSONSchemaProps r;dependencies 32 {J r;additionalItems 33 J ? r;definitions 34 {.JSONSchemaProps r;externalDocs 35 .ExternalDocumentation ? r;example 36 J ? r;nullable 37 b r;x-kubernetes-preserve-unknown-fields 38 b ? r;x-kubernetes-embedded-resource 39 b r;x-kubernetes-int-or-string 40 b r;x-kubernetes-list-map-keys 41 *s A;x-kubernetes-list-type 42 s ?;x-kubernetes-map-type 43 s ?;x-kubernetes-validations 44 *.ValidationRule r K=rule M=rule
        ValidationRule;rule 1 s ! r;message 2 s r;messageExpression 3 s;reason 4 sFieldValueErrorReason ?;fieldPath 5 s;optionalOldSelf 6 b ?
        ExternalDocumentation;description 1 s r;url 2 s r
        """
}
