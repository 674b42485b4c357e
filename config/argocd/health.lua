-- The health of a DatasetGeneration, for Argo CD (docs/gitops.md).
local health = { status = "Progressing", message = "the operator has not looked at it yet" }
if obj.metadata.deletionTimestamp ~= nil then
  health.message = "it is being deleted"
  return health
end
if obj.status == nil or obj.status.conditions == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return health
end
local conditions = {}
for _, condition in ipairs(obj.status.conditions) do
  conditions[condition.type] = condition
end
local function is(name)
  return conditions[name] ~= nil and conditions[name].status == "True"
end
if conditions.Ready ~= nil then
  health.message = conditions.Ready.message
end
if is("Stalled") then
  health.status = "Degraded"
elseif is("Suspended") then
  health.status = "Suspended"
elseif is("Ready") then
  health.status = "Healthy"
end
return health
