package simulate

import "github.com/foodtrace-ledger/foodtrace/chaincode/contract"

func addr(zh, en string) contract.Text { return contract.Text{ZH: zh, EN: en} }

func (n *network) authorities() {
	n.regulator = n.firm("shandong-amr", "山东省市场监督管理局", "Shandong Administration for Market Regulation", "6900001", contract.Regulator)
	n.customs = n.firm("qingdao-customs", "青岛海关", "Qingdao Customs", "6900002", contract.Regulator)
	n.lab = n.firm("qilu-lab", "齐鲁食品检测中心", "Qilu Food Testing Centre", "6900003", contract.Laboratory)
	n.place(n.lab, at{ref: 1, kind: "laboratory", zh: "齐鲁食品检测中心济南实验室", en: "Qilu Food Testing Centre, Jinan laboratory",
		address: addr("山东省济南市历城区", "Licheng, Jinan, Shandong"), lat: 366804, lon: 1170669})
}

func (n *network) greens() {
	shouguang := n.firm("hongtu-farm", "寿光宏图蔬菜专业合作社", "Shouguang Hongtu Vegetable Cooperative", "6900101", contract.Producer)
	anqiu := n.firm("wenhe-farm", "安丘汶河果蔬农场", "Anqiu Wenhe Produce Farm", "6900102", contract.Producer)
	lanling := n.firm("daizhong-farm", "兰陵代村蔬菜基地", "Lanling Daicun Vegetable Base", "6900103", contract.Producer)
	anqiu.urns = true
	n.farms = []*place{
		n.place(shouguang, at{ref: 1, kind: "farm", zh: "寿光宏图三号大棚", en: "Hongtu greenhouse no. 3, Shouguang",
			address: addr("山东省潍坊市寿光市孙家集街道", "Sunjiaji, Shouguang, Weifang, Shandong"), lat: 368013, lon: 1187106}),
		n.place(anqiu, at{ref: 1, kind: "farm", zh: "安丘汶河东岸菜田", en: "Wenhe east bank fields, Anqiu",
			address: addr("山东省潍坊市安丘市新安街道", "Xin'an, Anqiu, Weifang, Shandong"), lat: 364279, lon: 1192189}),
		n.place(lanling, at{ref: 1, kind: "farm", zh: "兰陵代村露地菠菜", en: "Daicun open fields, Lanling",
			address: addr("山东省临沂市兰陵县卞庄街道", "Bianzhuang, Lanling, Linyi, Shandong"), lat: 348571, lon: 1180707}),
	}
	n.spinach = n.product(shouguang, 1, "鲜菠菜（原料）", "Spinach, field-packed", "leafy greens", "KGM", "周转筐", "crate")
	n.romaine = n.product(anqiu, 2, "罗马生菜（原料）", "Romaine lettuce, field-packed", "leafy greens", "KGM", "周转筐", "crate")

	packer := n.firm("luzhong-packing", "鲁中果蔬预冷包装有限公司", "Luzhong Produce Cooling and Packing", "6900110", contract.Processor)
	n.packhouse = n.place(packer, at{ref: 1, kind: "packhouse", zh: "鲁中潍坊预冷包装厂", en: "Luzhong cooling and packing house, Weifang",
		address: addr("山东省潍坊市寒亭区", "Hanting, Weifang, Shandong"), lat: 367750, lon: 1192140})
	n.babySpinach = n.product(packer, 1, "清洗菠菜叶 5千克", "Washed spinach leaves, 5 kg", "leafy greens, fresh-cut", "KGM", "5千克袋装", "5 kg bag")

	sauces := n.firm("weihai-sauce", "威海味佳调味品厂", "Weihai Weijia Sauces", "6900111", contract.Processor)
	n.dressingPlant = n.place(sauces, at{ref: 1, kind: "plant", zh: "味佳调味品车间", en: "Weijia sauce plant",
		address: addr("山东省威海市环翠区", "Huancui, Weihai, Shandong"), lat: 375097, lon: 1221163})
	n.dressing = n.product(sauces, 1, "焙煎芝麻沙拉汁", "Roasted sesame dressing", "dressing", "KGM", "10千克桶装", "10 kg pail")

	salads := n.firm("qingyuan-salad", "济南清源鲜食有限公司", "Jinan Qingyuan Fresh Foods", "6900112", contract.Processor)
	n.saladPlant = n.place(salads, at{ref: 1, kind: "plant", zh: "清源鲜切沙拉工厂", en: "Qingyuan fresh-cut salad plant",
		address: addr("山东省济南市章丘区", "Zhangqiu, Jinan, Shandong"), lat: 367119, lon: 1175340})
	n.salad = n.product(salads, 1, "菠菜芝麻沙拉 250克", "Spinach salad with sesame dressing, 250 g", "ready-to-eat salad", "", "250克碗装", "250 g bowl")
	n.rework = n.product(salads, 9, "返工菜叶", "Leaves for rework", "leafy greens, fresh-cut", "KGM", "料箱", "bin")
}

func (n *network) meat() {
	pigs := n.firm("yimeng-pigs", "沂蒙生态养殖有限公司", "Yimeng Pig Farming", "6900201", contract.Producer)
	n.pigFarms = []*place{
		n.place(pigs, at{ref: 1, kind: "farm", zh: "沂蒙平邑养殖场", en: "Yimeng pig farm, Pingyi",
			address: addr("山东省临沂市平邑县", "Pingyi, Linyi, Shandong"), lat: 355060, lon: 1176404}),
		n.place(pigs, at{ref: 2, kind: "farm", zh: "沂蒙费县养殖场", en: "Yimeng pig farm, Feixian",
			address: addr("山东省临沂市费县", "Feixian, Linyi, Shandong"), lat: 352661, lon: 1179773}),
	}
	n.pigs = n.product(pigs, 1, "生猪", "Live pigs", "pork", "", "头", "head")

	meat := n.firm("jinluo-meat", "沂河肉类加工有限公司", "Yihe Meat Processing", "6900202", contract.Processor)
	meat.urns = true
	n.slaughterhouse = n.place(meat, at{ref: 1, kind: "plant", zh: "沂河定点屠宰厂", en: "Yihe slaughterhouse",
		address: addr("山东省临沂市兰山区", "Lanshan, Linyi, Shandong"), lat: 350519, lon: 1183477})
	n.cuttingPlant = n.place(meat, at{ref: 2, kind: "plant", zh: "沂河分割车间", en: "Yihe cutting plant",
		address: addr("山东省临沂市河东区", "Hedong, Linyi, Shandong"), lat: 350897, lon: 1184025})
	n.carcass = n.product(meat, 1, "猪白条", "Pork carcasses", "pork", "KGM", "胴体", "carcass")
	n.loin = n.product(meat, 2, "猪里脊 400克", "Pork loin, 400 g", "pork", "", "400克盒装", "400 g tray")
	n.belly = n.product(meat, 3, "五花肉 500克", "Pork belly, 500 g", "pork", "", "500克盒装", "500 g tray")
}

func (n *network) seafood() {
	grower := n.firm("guayas-shrimp", "瓜亚斯虾业", "Camaronera Guayas", "7860101", contract.Producer)
	ecuador := at{kind: "farm", country: "EC", hours: -5}
	hatchery, pond := ecuador, ecuador
	hatchery.ref, hatchery.zh, hatchery.en, hatchery.lat, hatchery.lon = 1, "圣埃伦娜育苗场", "Santa Elena hatchery", -22267, -808587
	hatchery.address = addr("厄瓜多尔圣埃伦娜省", "Santa Elena, Ecuador")
	pond.ref, pond.zh, pond.en, pond.lat, pond.lon = 2, "瓜亚斯养殖池七区", "Guayas ponds, block 7", -22833, -798833
	pond.address = addr("厄瓜多尔瓜亚斯省", "Guayas, Ecuador")
	n.hatchery, n.pond = n.place(grower, hatchery), n.place(grower, pond)
	n.larvae = n.product(grower, 1, "南美白对虾虾苗", "Whiteleg shrimp post-larvae", "shrimp", "", "千尾", "thousand")
	n.rawShrimp = n.product(grower, 2, "鲜活南美白对虾", "Whiteleg shrimp, raw", "shrimp", "KGM", "周转箱", "tote")

	packer := n.firm("pacifico-pack", "太平洋虾类加工", "Pacífico Shrimp Packers", "7860102", contract.Processor)
	packer.urns = true
	n.shrimpPlant = n.place(packer, at{ref: 1, kind: "plant", country: "EC", hours: -5, zh: "杜兰加工厂", en: "Durán processing plant",
		address: addr("厄瓜多尔杜兰", "Durán, Ecuador"), lat: -21700, lon: -798300})
	n.frozenShrimp = n.product(packer, 1, "冻虾 2千克/盒", "Frozen shrimp blocks, 2 kg", "shrimp", "KGM", "2千克冻块", "2 kg block")

	line := n.firm("jiaozhou-line", "胶州湾航运", "Jiaozhou Bay Lines", "6900301", contract.Carrier)
	n.portOut = n.place(line, at{ref: 1, kind: "port", country: "EC", hours: -5, zh: "瓜亚基尔港", en: "Port of Guayaquil",
		address: addr("厄瓜多尔瓜亚基尔", "Guayaquil, Ecuador"), lat: -22800, lon: -799100})
	n.vessel = n.place(line, at{ref: 2, kind: "vessel", zh: "海丰号冷藏船", en: "MV Haifeng"})
	n.portIn = n.place(line, at{ref: 3, kind: "port", zh: "青岛港前湾港区", en: "Port of Qingdao, Qianwan",
		address: addr("山东省青岛市黄岛区", "Huangdao, Qingdao, Shandong"), lat: 360116, lon: 1202167})

	imports := n.firm("luhai-import", "鲁海进出口有限公司", "Luhai Imports", "6900302", contract.Wholesaler)
	n.importer = n.place(imports, at{ref: 1, kind: "cold-store", zh: "鲁海董家口冷库", en: "Luhai cold store, Dongjiakou",
		address: addr("山东省青岛市黄岛区泊里镇", "Boli, Huangdao, Qingdao, Shandong"), lat: 355890, lon: 1197800})
	n.consumerShrimp = n.product(imports, 1, "厄瓜多尔白虾 500克", "Ecuador shrimp, 500 g", "shrimp", "", "500克盒装", "500 g box")
}

func (n *network) trade() {
	wholesale := n.firm("qilu-wholesale", "齐鲁生鲜配送", "Qilu Fresh Distribution", "6900401", contract.Wholesaler)
	n.saladDC = n.place(wholesale, at{ref: 1, kind: "distribution-centre", zh: "齐鲁济南配送中心", en: "Qilu distribution centre, Jinan",
		address: addr("山东省济南市天桥区", "Tianqiao, Jinan, Shandong"), lat: 367220, lon: 1169500})
	shops := n.firm("haojia-market", "好家生活超市", "Haojia Supermarkets", "6900402", contract.Retailer)
	for i, s := range []at{
		{zh: "好家超市济南泉城路店", en: "Haojia, Quancheng Road, Jinan", address: addr("山东省济南市历下区", "Lixia, Jinan, Shandong"), lat: 366675, lon: 1170220},
		{zh: "好家超市青岛台东店", en: "Haojia, Taidong, Qingdao", address: addr("山东省青岛市市北区", "Shibei, Qingdao, Shandong"), lat: 360870, lon: 1203590},
		{zh: "好家超市烟台大悦城店", en: "Haojia, Joy City, Yantai", address: addr("山东省烟台市芝罘区", "Zhifu, Yantai, Shandong"), lat: 375390, lon: 1213960},
		{zh: "好家超市临沂人民广场店", en: "Haojia, People's Square, Linyi", address: addr("山东省临沂市兰山区", "Lanshan, Linyi, Shandong"), lat: 350590, lon: 1183420},
		{zh: "好家超市潍坊泰华店", en: "Haojia, Taihua, Weifang", address: addr("山东省潍坊市奎文区", "Kuiwen, Weifang, Shandong"), lat: 367080, lon: 1191080},
		{zh: "好家超市北京朝阳店", en: "Haojia, Chaoyang, Beijing", address: addr("北京市朝阳区", "Chaoyang, Beijing"), lat: 399220, lon: 1164430},
	} {
		s.ref, s.kind = i+1, "shop"
		n.shops = append(n.shops, n.place(shops, s))
	}
}
